using System.Diagnostics;

namespace Tinctor.Training;

/// <summary>Moving average of the training speed over the last 50 steps, which excludes a slow start.</summary>
internal sealed class Throughput
{
    private const int Window = 50;
    private readonly Queue<(long ticks, int pairs)> steps = new();

    public Throughput() => steps.Enqueue((Stopwatch.GetTimestamp(), 0));

    public double PairsPerSecond { get; private set; }

    public double StepsPerSecond { get; private set; }

    public void Add(int pairs)
    {
        steps.Enqueue((Stopwatch.GetTimestamp(), pairs));
        if (steps.Count > Window) steps.Dequeue();
        double seconds = Stopwatch.GetElapsedTime(steps.Peek().ticks).TotalSeconds;
        PairsPerSecond = steps.Skip(1).Sum(step => step.pairs) / seconds;
        StepsPerSecond = (steps.Count - 1) / seconds;
    }
}
