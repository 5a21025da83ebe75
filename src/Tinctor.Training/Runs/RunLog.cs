using Tinctor.Slides;

namespace Tinctor.Training.Runs;

/// <summary>Writes metrics.csv, TensorBoard events and samples/ of a run.</summary>
internal sealed class RunLog : IDisposable
{
    private const long AllSteps = long.MaxValue - 1;
    private readonly RunFolder folder;
    private readonly TensorBoardWriter board;
    private readonly long resumedAt;
    private readonly string score;
    private readonly Dictionary<string, (double sum, int count)> window = [];
    private MetricsLog? metrics;

    /// <summary>Opens the log of a new or resumed run.</summary>
    /// <param name="folder">Folder of the run.</param>
    /// <param name="resumedAt">Number of completed steps; 0 for a new run.</param>
    /// <param name="config">Text of the configuration.</param>
    /// <param name="score">Column of validation scores, such as "val_psnr".</param>
    public RunLog(RunFolder folder, long resumedAt, string config, string score)
    {
        this.folder = folder;
        this.score = score;
        this.resumedAt = resumedAt;
        board = new TensorBoardWriter(folder.Root, resumedAt + 1);
        if (resumedAt == 0) board.AddText("config", $"```yaml\n{config}```", 0);
    }

    /// <summary>Adds the losses of a step to the averages of the next row.</summary>
    public void Add(IReadOnlyDictionary<string, double> losses)
    {
        foreach ((string name, double value) in losses)
        {
            (double sum, int count) = window.GetValueOrDefault(name);
            window[name] = (sum + value, count + 1);
        }
    }

    /// <summary>Writes a row with the averages since the previous one.</summary>
    public void Flush(int step, int epoch, double learningRate, double imagesPerSecond)
    {
        if (window.Count == 0) return;
        var values = window.ToDictionary(pair => pair.Key, pair => pair.Value.sum / pair.Value.count);
        string[] losses = [.. window.Keys];
        window.Clear();
        foreach (string name in losses) board.AddScalar($"loss/{name}", values[name], step);
        board.AddScalar("lr", values["lr"] = learningRate, step);
        board.AddScalar("images_per_s", values["images_per_s"] = imagesPerSecond, step);
        Metrics(losses).Write(step, epoch, values);
    }

    /// <summary>Writes the validation score and sample images, if there are any; call <see cref="Flush"/> first.</summary>
    /// <param name="step">Number of completed steps.</param>
    /// <param name="epoch">Epoch, from 1.</param>
    /// <param name="value">Validation score.</param>
    /// <param name="picture">Sample images.</param>
    /// <param name="others">Further validation scores by name.</param>
    public void Sample(int step, int epoch, double? value, Image? picture, IReadOnlyDictionary<string, double>? others = null)
    {
        var scores = (others ?? new Dictionary<string, double>()).ToDictionary(other => $"val_{other.Key}", other => other.Value);
        string[] names = [.. scores.Keys];
        if (value is double scored) scores[score] = scored;
        foreach ((string name, double number) in scores) board.AddScalar(name, number, step);
        if (scores.Count > 0) Metrics(names).Write(step, epoch, scores);
        if (picture is not null)
        {
            string path = Path.Combine(folder.Samples, $"step-{step:D8}.png");
            picture.Write(path);
            board.AddImage("samples", File.ReadAllBytes(path), step);
        }
        board.Flush();
    }

    public void Dispose()
    {
        metrics?.Dispose();
        board.Dispose();
    }

    // The columns are known only when the method has computed its losses; some losses begin later.
    private MetricsLog Metrics(string[] losses)
    {
        string[] columns = [.. losses, "lr", "images_per_s", score];
        if (metrics is not null && columns.All(metrics.Columns.Contains)) return metrics;
        long kept = metrics is null ? resumedAt : AllSteps;
        metrics?.Dispose();
        return metrics = new MetricsLog(folder.Metrics, columns, kept);
    }
}
