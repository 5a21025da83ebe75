using System.Diagnostics;
using Tinctor.Cli.Startup;

namespace Tinctor.Cli.Tests;

public sealed class ProgramTests
{
    [Fact]
    public void Run_without_command_shows_help()
    {
        Outcome help = CommandLine.Run();
        Assert.Equal((0, ""), (help.Code, help.Error));
        Assert.Contains("tinctor <command> [options]", help.Out);
        Assert.All(CommandLineApp.Root.Subcommands, command => Assert.Contains($"  {command.Name}", help.Out));
        Assert.DoesNotContain("Examples", help.Out);
    }

    [Theory]
    [InlineData("trian", "'trian'", "tinctor --help")]
    [InlineData("train pix2pix --out x --bogus", "'--bogus'", "tinctor train --help")]
    [InlineData("train --out x", "name the method: pix2pix", "tinctor train --help")]
    [InlineData("train pix2pix", "name the run folder", "tinctor train --help")]
    [InlineData("train pix3pix --out x", "pix3pix", "pix2pix")]
    [InlineData("register", "<source>", "<target>")]
    [InlineData("register a.svs b.svs", "--output <DIR>", "")]
    [InlineData("register a b -o c --transform elastic", "--transform elastic: expected translation, rigid, affine or nonrigid", "")]
    [InlineData("register a b -o c --size", "--size needs a value", "")]
    [InlineData("register a b -o c --size big", "--size big: expected a whole number", "")]
    [InlineData("tissue a -o c --pens red", "--pens red: expected none, blue, green", "")]
    [InlineData("stain m i -o o --tilesize 5", "'--tilesize'", "Did you mean --tile-size?")]
    [InlineData("trian", "Did you mean train?", "tinctor --help")]
    [InlineData("train pix2pix -o x --set model.ngf=abc", "model.ngf", "abc")]
    [InlineData("import pix2pix /nowhere.pth -o x", "/nowhere.pth: there is no such checkpoint", "")]
    [InlineData("stains separate a -o b --method reinhard", "expected macenko or vahadane", "")]
    [InlineData("stain m i -o o --quality 500", "--quality 500: expected 1 to 100", "tinctor stain --help")]
    [InlineData("completion tcsh", "tcsh: expected bash, zsh, fish or powershell", "tinctor completion --help")]
    [InlineData("train pix2pix --out x --set model.nfg=3", "there is no setting model.nfg", "ngf")]
    [InlineData("train pix2pix --out x", "no data set is named", "--data")]
    [InlineData("train pix2pix --out x --data /nowhere", "/nowhere: no such file", "")]
    [InlineData("train pix2pix --out x --device cuda:99", "the device is cuda:99", "")]
    [InlineData("train pix2pix --out x --config /nowhere.yaml", "/nowhere.yaml", "")]
    public void Run_with_mistake_prints_one_line_with_remedy(string arguments, string what, string advice)
    {
        string line = CommandLine.Run(arguments.Split(' ')).OneError();
        Assert.Contains(what, line);
        Assert.Contains(advice, line);
    }

    [Fact]
    public void Debug_adds_stack_trace()
    {
        Outcome outcome = CommandLine.Run("train", "pix2pix", "--output", "x", "--debug");
        Assert.DoesNotContain("   at ", outcome.Out);
        Assert.Contains("   at Tinctor.", outcome.Messages);
        Assert.EndsWith(outcome.Error, outcome.Messages);
        Assert.Contains("no data set is named", outcome.Error);
    }

    [Fact]
    public void Print_config_output_is_accepted_as_config()
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
    public void Completion_omits_windows_names()
    {
        Outcome words = CommandLine.RunInProcess("[suggest:14]", "tinctor train -");
        Assert.Contains("--help\n", words.Out);
        Assert.DoesNotContain("/?", words.Out);
        Assert.DoesNotContain("-?", words.Out);
    }

    [Fact]
    public void Install_links_launcher_once_and_uninstall_removes_it()
    {
        string folder = Directory.CreateTempSubdirectory("tinctor-install-").FullName, link = Path.Combine(folder, "bin", "tinctor");
        try
        {
            Outcome Install(params string[] more)
            {
                var start = new ProcessStartInfo("dotnet",
                    [Path.Combine(AppContext.BaseDirectory, "tinctor.dll"), "install", "--prefix", folder, .. more])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                };
                start.Environment["TINCTOR_LAUNCHER"] = "/opt/tinctor/tinctor";
                return CommandLine.Finish(Process.Start(start)!);
            }

            Assert.Contains("is not on the PATH", Install().Out);
            Assert.Equal("/opt/tinctor/tinctor", new FileInfo(link).LinkTarget);
            Assert.Contains("is installed already", Install().Out);
            Assert.Contains("_tinctor()", File.ReadAllText(Path.Combine(folder, "share/bash-completion/completions/tinctor")));
            Assert.Contains("tinctor stain", File.ReadAllText(Path.Combine(folder, "share/man/man1/tinctor.1")).Replace("\\-", "-"));
            Assert.Equal(0, Install("--uninstall").Code);
            Assert.False(Path.Exists(link) || new FileInfo(link).LinkTarget is not null);
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder, "share"), "*", SearchOption.AllDirectories));
            File.WriteAllText(link, "something else");
            Assert.Contains("not a link to a launcher", Install().OneError());
            Assert.Equal("something else", File.ReadAllText(link));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("settings pix2pix")]
    [InlineData("doctor")]
    [InlineData("stain /nowhere /nowhere -o x")]
    [InlineData("phantom -o {0} --slides 1 --size 64x64")]
    public void Pipes_have_no_escape_codes(string arguments)
    {
        string folder = Directory.CreateTempSubdirectory("tinctor-plain-").FullName;
        try
        {
            Outcome outcome = CommandLine.Finish(CommandLine.Start([.. arguments.Split(' ')
                .Select(word => word.Replace("{0}", Path.Combine(folder, "p")))]));
            Assert.DoesNotContain('\u001b', outcome.All);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("./tinctor tra", "train")]
    [InlineData("./tinctor train --res", "--resume")]
    [InlineData("./tinctor train p", "pix2pix")]
    [InlineData("./tinctor stain m i --format j", "jpg")]
    [InlineData("./tinctor completion b", "bash")]
    [InlineData("./tinctor train pix2pix --set data.crop", "data.crop_size=")]
    public void Completion_of_bash_lists_commands(string line, string expected)
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
