using System.CommandLine;
using Tinctor.Cli.Migration;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor migrate</c>: translates a command line of an official repository.</summary>
internal static class MigrateCommand
{
    private const string Description = """
        Translate a command line of pix2pix, CycleGAN, CUT, FastCUT, ASP, PSPStain, SIM-GAN, PyramidPix2pix (BCI), pix2pixHD or CEFF.
        The command of Tinctor goes to the standard output. Values of the official code that differ from the defaults here are added; flags
        without an equivalent are named with the reason.

        Examples:
          tinctor migrate "python train.py --dataroot ./datasets/facades --name facades_pix2pix --model pix2pix --direction BtoA"
          tinctor migrate "python test.py --dataroot ./datasets/BCI --gpu_ids 0" --from pyramid-pix2pix
          tinctor migrate scripts/train_pix2pix.sh                    every train.py and test.py in a script
          tinctor migrate experiments/mist_launcher.py                the launchers of ASP, PSPStain and SIM-GAN
          cat my-training.sh | tinctor migrate -
          tinctor migrate --flags asp                                 all flags of a repository and their equivalents
        """;

    private static readonly Argument<string?> Line = new("command")
    {
        Description = "Command line in quotation marks, a file that holds one, or - for the standard input",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Repository of the command line [default: the first that has its flags]",
    };

    private static readonly Option<string?> Flags = new("--flags") { Description = "Print the table of a repository's flags and stop" };

    public static Command Create()
    {
        string[] keys = [.. OfficialRepository.All.Select(repository => repository.Key)];
        From.Among(keys);
        Flags.Among(keys);
        var command = new Command("migrate", Description) { Line, From, Flags };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Line) is null && result.GetValue(Flags) is null)
                result.AddError("name a command line, a file, or - for the standard input");
        });
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        if (parse.GetValue(Flags) is { } key)
        {
            Terminal.Out.Write(FlagTable.Markdown(OfficialRepository.All.Single(repository => repository.Key == key)));
            return 0;
        }
        foreach (LaunchLine line in LaunchLine.Find(Read(parse.GetValue(Line)!)))
        {
            MigratedCommand command = CommandTranslator.Translate(line, parse.GetValue(From));
            Terminal.Result(command.ToString());
            foreach (string note in command.Notes) Terminal.Note(note);
            foreach (string warning in command.Warnings) Terminal.Warning(warning);
        }
        return 0;
    }

    private static string Read(string line) => line == "-" ? Console.In.ReadToEnd() : File.Exists(line) ? File.ReadAllText(line) : line;
}
