// Trains pix2pix on a data set: TrainModel DATA RUN_FOLDER [SETTING=VALUE ...]
using Tinctor.Training;
using Tinctor.Training.Configuration;

RunConfig config = ConfigFile.Load(path: null, method: "pix2pix", overrides: [$"data.path={args[0]}", .. args[2..]]);

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

TrainingResult result = Trainer.Start(config, args[1], new ConsoleObserver(), stop.Token);
Console.WriteLine(result.Finished ? $"model: {result.ModelFolder}" : "stopped; Trainer.Resume continues the run");

internal sealed class ConsoleObserver : ITrainingObserver
{
    public void Note(string text) => Console.Error.WriteLine(text);

    public void Step(TrainingProgress progress) =>
        Console.Error.WriteLine($"step {progress.Step} of {progress.Steps}, {progress.ImagesPerSecond:0.0} images/s");
}
