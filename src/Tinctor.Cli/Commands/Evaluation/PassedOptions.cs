using System.CommandLine;
using System.CommandLine.Parsing;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> that other commands have too and pass on to it.</summary>
internal static class PassedOptions
{
    /// <summary>Gets the given options as arguments of another command.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="options">Options to pass on.</param>
    /// <param name="files">Those of the options that name a file, which becomes a full path.</param>
    /// <exception cref="TinctorException">A file does not exist.</exception>
    public static IEnumerable<string> Arguments(ParseResult parse, IEnumerable<Option> options, params Option[] files)
    {
        foreach (Option option in options)
        {
            if (parse.GetResult(option) is not { Implicit: false } given) continue;
            yield return option.Name;
            bool file = files.Contains(option);
            foreach (Token token in given.Tokens)
            {
                if (file && !File.Exists(token.Value)) throw new TinctorException(token.Value, "no such file", $"Correct {option.Name}");
                yield return file ? Path.GetFullPath(token.Value) : token.Value;
            }
        }
    }
}
