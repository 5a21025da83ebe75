using System.CommandLine;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor completion</c>: shell completion.</summary>
internal static class CompletionCommand
{
    private const string Description = """
        Print a script that completes commands and options in a shell.

        Examples:
          source <(tinctor completion bash)                                         now, and in ~/.bashrc from then on
          tinctor completion zsh > ~/.zfunc/_tinctor                                with ~/.zfunc in $fpath
          tinctor completion fish > ~/.config/fish/completions/tinctor.fish
        """;

    // The program itself knows what fits: "[suggest:POSITION]" makes it list that, a word a line.
    private const string Bash = """
        _tinctor() {
            local IFS=$'\n'
            local words=$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
            COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _tinctor tinctor ./tinctor
        """;

    private const string Zsh = """
        #compdef tinctor
        _tinctor() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -a found || _files
        }
        compdef _tinctor tinctor
        """;

    private const string Fish = """
        complete -c tinctor -a '(tinctor "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", Description) { shell };
        command.SetAction(parse => Console.WriteLine(parse.GetValue(shell) switch { "zsh" => Zsh, "fish" => Fish, _ => Bash }));
        return command;
    }
}
