using System.CommandLine;
using System.CommandLine.Invocation;
using Spectre.Console;
using Tinctor.Cli;
using Tinctor.Cli.Commands;
using Tinctor.Cli.Commands.Stains;

var root = new RootCommand("Virtual staining of histology: from slides to registered pairs, a trained model, stained images and numbers.")
{
    DemoCommand.Create(),
    PhantomCommand.Create(),
    InfoCommand.Create(),
    ConvertCommand.Create(),
    TissueCommand.Create(),
    RegisterCommand.Create(),
    WarpCommand.Create(),
    PairCommand.Create(),
    PrepareCommand.Create(),
    TrainCommand.Create(),
    StainCommand.Create(),
    AblateCommand.Create(),
    CompareCommand.Create(),
    EvaluateCommand.Create(),
    VarianceCommand.Create(),
    StainsCommand.Create(),
    ImportCommand.Create(),
    DoctorCommand.Create(),
    CompletionCommand.Create(),
};
var debug = new Option<bool>("--debug") { Description = "Show the stack trace of an error", Recursive = true };
root.Add(debug);
root.SetAction(_ => root.Parse("--help").Invoke());
Examples.ShowAfterHelp(root);
// Files and pipes have no width at which a path should be broken.
if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 1000;

ParseResult command = root.Parse(args);
if (command.Action is ParseErrorAction) return Errors.Print(command);
try
{
    // Whoever is asked to stop may finish a step and save, however long that takes (kill -9 does no harm either).
    return await command.InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = Timeout.InfiniteTimeSpan,
    });
}
catch (OperationCanceledException)
{
    return 130;
}
catch (Exception e)
{
    if (command.GetValue(debug)) Console.Error.WriteLine(e);
    Console.Error.WriteLine(Errors.Describe(e));
    return 1;
}
