// Trains a method of its own: AddMethod DATA RUN_FOLDER [SETTING=VALUE ...]
using AddMethod;
using Tinctor.Training;
using Tinctor.Training.Configuration;

RunConfig.Register(new RunConfig { Method = "l1", Model = new L1Config() });
RunConfig config = ConfigFile.Load(path: null, method: "l1", overrides: [$"data.path={args[0]}", .. args[2..]]);
TrainingResult result = Trainer.Start(config, args[1], new QuietObserver());
Console.WriteLine($"model: {result.ModelFolder}, {result.Validation}");

internal sealed class QuietObserver : ITrainingObserver
{
    public void Note(string text) { }

    public void Step(TrainingProgress progress) { }
}
