using System.CommandLine;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor completion</c>: shell completion.</summary>
internal static class CompletionCommand
{
    private const string Description = """
        Print a script that completes commands, options, values and the keys of --set in a shell.

        Examples:
          source <(tinctor completion bash)                                         in this shell; add the line to ~/.bashrc to keep it
          tinctor completion zsh > ~/.zfunc/_tinctor                                with ~/.zfunc in $fpath
          tinctor completion fish > ~/.config/fish/completions/tinctor.fish
          tinctor completion powershell >> $PROFILE                                 in PowerShell
        """;

    // With the directive "[suggest:POSITION]" the program lists completions, one word per line. Bash looks a command up by its last
    // component, so that any path to the launcher is completed.
    private const string Bash = """
        _tinctor() {
            local IFS=$'\n'
            local words=$("${COMP_WORDS[0]/#\~/$HOME}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
            COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
            if [[ ${#COMPREPLY[@]} == 1 && $COMPREPLY == *= ]]; then compopt -o nospace 2>/dev/null; fi
            return 0
        }
        complete -o default -F _tinctor tinctor ./tinctor
        """;

    private const string Zsh = """
        #compdef tinctor
        _tinctor() {
            local -a found
            found=("${(@f)$("${(e)~words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -a found || _files
        }
        compdef _tinctor tinctor ./tinctor
        """;

    private const string Fish = """
        complete -c tinctor \
            -a '(eval (commandline -po)[1] "\"[suggest:"(commandline -C)"]\"" (string escape -- (commandline -p)) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName tinctor -ScriptBlock {
            param($word, $command, $position)
            $program = $command.CommandElements[0].Value
            & $program "[suggest:$position]" $command.ToString().PadRight($position) 2>$null | Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    /// <summary>Scripts by the name of the shell.</summary>
    public static IReadOnlyDictionary<string, string> Scripts { get; } = new OrderedDictionary<string, string>
    {
        ["bash"] = Bash,
        ["zsh"] = Zsh,
        ["fish"] = Fish,
        ["powershell"] = PowerShell,
    };

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or powershell" }.Among([.. Scripts.Keys]);
        var command = new Command("completion", Description) { shell };
        command.SetAction(parse => Terminal.Result(Scripts[parse.GetRequiredValue(shell)]));
        return command;
    }
}
