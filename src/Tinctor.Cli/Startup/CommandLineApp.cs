using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Tinctor.Cli.Commands;
using Tinctor.Cli.Commands.Bench;
using Tinctor.Cli.Commands.Doctor;
using Tinctor.Cli.Commands.Stains;

namespace Tinctor.Cli.Startup;

/// <summary>The command line as a function: arguments in, exit code and text out.</summary>
internal static class CommandLineApp
{
    private const string Description =
        "Virtual staining of histology: from slides to registered pairs, a trained model, stained images and numbers.";

    private static readonly Option<bool> Debug =
        new("--debug") { Description = "Print the stack trace of an error", Recursive = true };

    /// <summary>All commands.</summary>
    public static RootCommand Root { get; } = CreateRoot();

    /// <summary>Runs a command.</summary>
    /// <param name="args">Arguments as the shell passes them.</param>
    /// <param name="terminal">Receives all output.</param>
    /// <param name="cancel">Cancels the command.</param>
    /// <returns>0 for success, 1 for a problem, 130 for a cancelled command, 143 for one that SIGTERM cancelled.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancel = default)
    {
        // ONNX Runtime sends usage data to its manufacturer and keeps an identifier of the computer in the home folder.
        NativeEnvironment.SetDefault("ORT_DISABLE_TELEMETRY", "1");
        NativeEnvironment.LoadOpenSsl();
        using IDisposable use = terminal.Use();
        ParseResult command = Root.Parse(RenamedOptions.Translate(Root, args));
        Terminal.Command = command.CommandResult.Command;
        if (command.Action is ParseErrorAction || ParseProblems.UnknownOption(command) is not null) return ParseProblems.Print(command);
        using TerminationSignals? signals = terminal.HandlesSignals ? new(cancel, terminal.WriteNote) : null;
        try
        {
            int code = await command.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = Terminal.Out,
                Error = Terminal.Error,
                ProcessTerminationTimeout = null,
            }, signals?.Token ?? cancel);
            return code == Errors.Cancelled ? signals?.ExitCode ?? code : code;
        }
        catch (Exception e) when (Errors.IsCancellation(e))
        {
            return signals?.ExitCode ?? Errors.Cancelled;
        }
        catch (Exception e)
        {
            if (command.GetValue(Debug)) Terminal.Error.WriteLine(e);
            Terminal.Error.WriteLine(Errors.Describe(e));
            return 1;
        }
    }

    private static RootCommand CreateRoot()
    {
        var root = new RootCommand(Description)
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
            SettingsCommand.Create(),
            StainCommand.Create(),
            ServeCommand.Create(),
            ViewCommand.Create(),
            AblateCommand.Create(),
            CompareCommand.Create(),
            EvaluateCommand.Create(),
            VarianceCommand.Create(),
            StainsCommand.Create(),
            ExportCommand.Create(),
            ImportCommand.Create(),
            MigrateCommand.Create(),
            DoctorCommand.Create(),
            BenchCommand.Create(),
            InstallCommand.Create(),
            CompletionCommand.Create(),
        };
        root.Add(Debug);
        root.SetAction(_ => HelpText.Print(root));
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Description = "Show this help";
            // The Windows names (/h, /?) are patterns in a shell.
            foreach (string alias in help.Aliases.Where(alias => alias is "-?" or "/?" or "/h").ToArray()) help.Aliases.Remove(alias);
            help.Action = new HelpText.Action();
        }
        return root;
    }
}
