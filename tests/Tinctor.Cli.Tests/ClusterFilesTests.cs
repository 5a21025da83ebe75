using System.CommandLine;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Tinctor.Cli.Startup;
using Tinctor.Tests;
using YamlDotNet.RepresentationModel;

namespace Tinctor.Cli.Tests;

/// <summary>Files of docs/cluster, for Slurm, Nextflow, Kubernetes and containers.</summary>
public sealed partial class ClusterFilesTests
{
    private const string Shellcheck = "/usr/bin/shellcheck";

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(RepositoryFiles.Path("docs/cluster")).Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public void Page_shows_files_as_they_are(string name)
    {
        string page = File.ReadAllText(RepositoryFiles.Path("docs/cluster.md"));
        Assert.Contains($"(cluster/{name})", page);
        if (name != "stain-bands.sbatch") Assert.Contains($"\n{Read(name).TrimEnd()}\n```", page);
    }

    [Theory]
    [InlineData("stain.sbatch")]
    [InlineData("stain-bands.sbatch")]
    public void Batch_files_are_valid_scripts(string name)
    {
        Assert.Equal("", Output("bash", "-n", RepositoryFiles.Path($"docs/cluster/{name}")));
        if (File.Exists(Shellcheck)) Assert.Equal("", Output(Shellcheck, RepositoryFiles.Path($"docs/cluster/{name}")));
        string[] lines = Read(name).Split('\n');
        // Slurm stops reading options at the first command.
        int first = Array.FindIndex(lines, line => line.Length > 0 && line[0] != '#');
        Assert.All(lines.Skip(first), line => Assert.DoesNotContain("#SBATCH --", line));
        Assert.Contains("#SBATCH --requeue", lines);
    }

    [Theory]
    [InlineData("stain.sbatch", 1)]
    [InlineData("stain-bands.sbatch", 1)]
    [InlineData("main.nf", 2)]
    [InlineData("cluster.md", 5)]
    public void Commands_are_accepted_by_tinctor(string name, int count)
    {
        string path = RepositoryFiles.Path(name == "cluster.md" ? "docs/cluster.md" : $"docs/cluster/{name}");
        string text = Continuation().Replace(File.ReadAllText(path), " ");
        string[] commands = [.. Command().Matches(text).Select(match => match.Groups[1].Value)];
        Assert.True(commands.Length >= count, string.Join('\n', commands));
        foreach (string command in commands)
        {
            string plain = Variable().Replace(command.Replace("\"$@\"", ""), "1").Replace("'", "").Replace("\"", "");
            ParseResult parse = CommandLineApp.Root.Parse(plain.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            Assert.True(parse.Errors.Count == 0 || command.Contains("--status"), $"{command}: {string.Join("; ", parse.Errors)}");
            Assert.Null(ParseProblems.UnknownOption(parse));
        }
    }

    [Fact]
    public void Kubernetes_job_names_number_of_its_parts()
    {
        YamlMappingNode job = ReadYaml();
        Assert.Equal("Job", Text(job, "kind"));
        Assert.Equal("batch/v1", Text(job, "apiVersion"));
        Assert.Equal("Indexed", Text(job, "spec", "completionMode"));
        var pod = (YamlMappingNode)Node(job, "spec", "template", "spec");
        Assert.Equal("Never", Text(pod, "restartPolicy"));
        var container = (YamlMappingNode)((YamlSequenceNode)Node(pod, "containers"))[0];
        string[] arguments = [.. ((YamlSequenceNode)Node(container, "args")).Select(argument => argument.ToString())];
        Assert.Empty(CommandLineApp.Root.Parse(arguments).Errors);
        Assert.Equal($"auto/{Text(job, "spec", "completions")}", arguments[Array.IndexOf(arguments, "--shard") + 1]);
        Assert.Equal(arguments[Array.IndexOf(arguments, "--threads") + 1], Text(container, "resources", "requests", "cpu"));
        // Each mounted volume is declared.
        string mount = Text((YamlMappingNode)((YamlSequenceNode)Node(container, "volumeMounts"))[0], "name");
        Assert.Equal(mount, Text((YamlMappingNode)((YamlSequenceNode)Node(pod, "volumes"))[0], "name"));
        Assert.Equal($"tinctor:{Version()}", Text(container, "image"));
    }

    [Fact]
    public void Nextflow_module_is_balanced_and_calls_its_processes()
    {
        // Outside of comments and strings.
        string code = NextflowText().Replace(Read("main.nf"), match => match.Value[0] == '/' ? "" : "text");
        var open = new Stack<char>();
        foreach (char letter in code)
        {
            if ("({[".Contains(letter)) open.Push(letter);
            else if (")}]".Contains(letter)) Assert.Equal(letter, ")}]"["({[".IndexOf(open.Pop())]);
        }
        Assert.Empty(open);
        string[] processes = [.. Regex.Matches(code, @"^process (\w+) \{", RegexOptions.Multiline).Select(match => match.Groups[1].Value)];
        Assert.Equal(["STAIN", "STATUS"], processes);
        string workflow = code[code.IndexOf("workflow {", StringComparison.Ordinal)..];
        Assert.All(processes, process => Assert.Contains($"{process}(", workflow));
    }

    [Fact]
    public void Containerfile_has_known_instructions_and_present_version()
    {
        string[] known = ["FROM", "ARG", "RUN", "ADD", "COPY", "USER", "WORKDIR", "ENTRYPOINT", "ENV"];
        string text = Read("Containerfile");
        string[] instructions = [.. Continuation().Replace(text, " ").Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ')[0])];
        Assert.Equal("FROM", instructions[0]);
        Assert.All(instructions, instruction => Assert.Contains(instruction, known));
        Assert.Contains($"VERSION={Version()} ", text);
        Assert.Contains("ENTRYPOINT [\"tinctor\"]", text);
    }

    private static string Version() =>
        Regex.Match(File.ReadAllText(RepositoryFiles.Path("Directory.Build.props")), "<Version>(.*)</Version>").Groups[1].Value;

    private static string Read(string name) => File.ReadAllText(RepositoryFiles.Path($"docs/cluster/{name}"));

    private static YamlMappingNode ReadYaml()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Read("job.yaml")));
        return (YamlMappingNode)Assert.Single(yaml.Documents).RootNode;
    }

    private static YamlNode Node(YamlNode node, params string[] path) => path.Aggregate(node, (at, name) => at[name]);

    private static string Text(YamlNode node, params string[] path) => Node(node, path).ToString();

    // What a program prints.
    private static string Output(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal((0, ""), (process.ExitCode, output));
        return output;
    }

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continuation();

    // A command at the start of a line or after exec srun, up to a comment, a redirection or another command.
    [GeneratedRegex(@"(?:^|srun [^\n]*?)\s*(?:\$ )?tinctor (stain [^\n#>|]*)", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"\$\{[^}]*\}|\$\w+")]
    private static partial Regex Variable();

    [GeneratedRegex("//[^\\n]*|\"\"\".*?\"\"\"|\"[^\"\\n]*\"|'[^'\\n]*'", RegexOptions.Singleline)]
    private static partial Regex NextflowText();
}
