using System.CommandLine;
using Spectre.Console;
using Tinctor.Cli;
using Tinctor.Cli.Commands;

var root = new RootCommand("Virtual staining of histology: from slides to registered pairs, a trained model, stained images and numbers.")
{
    DemoCommand.Create(),
    PhantomCommand.Create(),
    PairCommand.Create(),
    TrainCommand.Create(),
    StainCommand.Create(),
    EvaluateCommand.Create(),
    ImportCommand.Create(),
    DoctorCommand.Create(),
    CompletionCommand.Create(),
};
var debug = new Option<bool>("--debug") { Description = "Show the stack trace of an error", Recursive = true };
root.Add(debug);
Examples.ShowAfterHelp(root);

ParseResult command = root.Parse(args);
try
{
    return await command.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    return 130;
}
catch (Exception e)
{
    if (command.GetValue(debug)) AnsiConsole.Console.Profile.Out.Writer.WriteLine(e);
    Console.Error.WriteLine(Errors.Describe(e));
    return 1;
}
