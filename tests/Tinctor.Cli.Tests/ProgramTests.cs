using System.Diagnostics;
using System.Text.Json;

namespace Tinctor.Cli.Tests;

public sealed class ProgramTests
{
    public static TheoryData<string> Commands =>
        new("phantom", "register", "warp", "pair", "train", "stain", "evaluate", "variance", "stains estimate", "stains separate",
            "stains normalize", "import pix2pix", "doctor", "completion");

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_explains_itself_with_examples(string command)
    {
        Outcome help = CommandLine.Run([.. command.Split(' '), "--help"]);
        Assert.Equal(0, help.Code);
        Assert.Contains($"tinctor {command}", help.Out);
        string examples = help.Out[help.Out.IndexOf("Examples:", StringComparison.Ordinal)..];
        Assert.Contains($"tinctor {command} ", examples);
    }

    [Fact]
    public void Without_a_command_the_help_is_shown()
    {
        Outcome help = CommandLine.Run();
        Assert.Equal((0, ""), (help.Code, help.Error));
        Assert.Contains("tinctor [command] [options]", help.Out);
        Assert.All(Commands, row => Assert.Contains($"  {row.Data.Split(' ')[0]}", help.Out));
        Assert.DoesNotContain("Examples", help.Out);
    }

    [Theory]
    [InlineData("trian", "'trian'", "tinctor --help")]
    [InlineData("train pix2pix --out x --bogus", "'--bogus'", "tinctor train --help")]
    [InlineData("train --out x", "Say which method to train", "tinctor train --help")]
    [InlineData("train pix2pix", "Name the run folder", "tinctor train --help")]
    [InlineData("train pix3pix --out x", "'pix3pix'", "known are pix2pix")]
    [InlineData("stain m i -o o --quality 500", "--quality lies between 1 and 100", "tinctor stain --help")]
    [InlineData("completion tcsh", "'tcsh'", "tinctor completion --help")]
    [InlineData("train pix2pix --out x --set model.nfg=3", "'model.nfg'", "ngf")]
    [InlineData("train pix2pix --out x", "no data is named", "--data DIR")]
    [InlineData("train pix2pix --out x --data /nowhere", "/nowhere: no such file", "")]
    [InlineData("train pix2pix --out x --device cuda:99", "--device cuda:99", "")]
    [InlineData("train pix2pix --out x --config /nowhere.yaml", "/nowhere.yaml", "")]
    public void A_mistake_is_one_line_that_helps(string arguments, string what, string advice)
    {
        string line = CommandLine.Run(arguments.Split(' ')).OneError();
        Assert.Contains(what, line);
        Assert.Contains(advice, line);
    }

    [Fact]
    public void Debug_adds_the_trace()
    {
        Outcome outcome = CommandLine.Run("train", "pix2pix", "--out", "x", "--debug");
        Assert.Equal("", string.Join("", outcome.Out.Split('\n').Where(line => line.Contains("   at "))));
        Assert.Contains("   at Tinctor.", outcome.Error);
        Assert.EndsWith("error: no data is named; give --data DIR, or data.path in the configuration\n", outcome.Error);
    }

    [Fact]
    public void The_settings_can_be_printed_and_given_back()
    {
        Outcome printed = CommandLine.Run("train", "pix2pix", "--print-config", "--epochs", "5", "--set", "data.test_slides=s1, s2");
        Assert.Contains("epochs: 5\n  epochs_decay: 5\n", printed.Out);
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, printed.Out);
            Assert.Equal(printed.Out, CommandLine.Run("train", "pix2pix", "--print-config", "--config", file).Out);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void The_doctor_reports_in_words_and_in_json()
    {
        Assert.Contains("libvips", CommandLine.Run("doctor").Out);
        Outcome outcome = CommandLine.Run("doctor", "--json");
        using JsonDocument report = JsonDocument.Parse(outcome.Out);
        Assert.All(["Tinctor", ".NET", "libvips", "OpenSlide", "libtorch", "BLAS", "Threads", "Devices", "Matrix product"],
            name => Assert.NotEqual("", report.RootElement.GetProperty(name).GetProperty("value").GetString()));
        bool healthy =
            report.RootElement.EnumerateObject().All(finding => finding.Value.GetProperty("remedy").ValueKind == JsonValueKind.Null);
        Assert.Equal(healthy ? 0 : 1, outcome.Code);
    }

    [Theory]
    [InlineData("./tinctor tra", "train")]
    [InlineData("./tinctor train --res", "--resume")]
    [InlineData("./tinctor train p", "pix2pix")]
    [InlineData("./tinctor stain m i --format j", "jpg")]
    [InlineData("./tinctor completion b", "bash")]
    public void Bash_completes(string line, string expected)
    {
        string folder = Directory.CreateTempSubdirectory("tinctor-bash-").FullName;
        try
        {
            // What a user types is the launcher.
            string script = $"""
                printf '#!/bin/sh\nexec dotnet "{Path.Combine(AppContext.BaseDirectory, "tinctor.dll")}" "$@"\n' > tinctor
                chmod +x tinctor
                source <(./tinctor completion bash)
                COMP_LINE='{line}' COMP_POINT={line.Length} COMP_WORDS=({line}) COMP_CWORD={line.Count(c => c == ' ')}
                _tinctor
                printf '%s\n' "$COMPREPLY"
                """;
            var start = new ProcessStartInfo("bash", ["-c", script])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            Outcome outcome = CommandLine.Finish(Process.Start(start)!);
            Assert.Equal((expected + "\n", ""), (outcome.Out, outcome.Error));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
