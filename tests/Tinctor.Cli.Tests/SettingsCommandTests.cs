namespace Tinctor.Cli.Tests;

public sealed class SettingsCommandTests
{
    public static TheoryData<string> Names => [.. SettingsCatalog.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Settings_have_type_and_meaning(string name)
    {
        Assert.NotEmpty(SettingsCatalog.List(name));
        Assert.All(SettingsCatalog.List(name), setting =>
        {
            Assert.NotEqual("", setting.Type);
            Assert.True(setting.Meaning.Length > 0, $"{name}: {setting.Key} has no description");
            Assert.DoesNotContain('<', setting.Meaning);
        });
    }

    [Theory]
    [InlineData("i2sb", "training.start_from.path"), InlineData("derestainer", "model.comparator.path")]
    [InlineData("ceff", "model.encoders.path")]
    public void Settings_have_paths_of_references(string name, string key) =>
        Assert.Contains(key, SettingsCatalog.List(name).Select(setting => setting.Key));

    [Fact]
    public void Settings_command_lists_default_and_range()
    {
        Outcome outcome = CommandLine.Run("settings", "pix2pix", "--filter", "crop_size");
        Assert.Equal(0, outcome.Code);
        Assert.Matches(@"data\.crop_size +256 +whole number, 16 to 8192 +\S", outcome.Out);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Set_accepts_listed_keys_and_defaults(string name)
    {
        if (name is "classifier" or "segmenter" or "ceff-encoder") return;
        string[] all = [.. SettingsCatalog.List(name).Where(setting => setting.Default.Length > 0)
            .Select(setting => $"{setting.Key}={setting.Default}")];
        Outcome printed = CommandLine.Run(["train", name, "--print-config", .. TrainedRun.Set(all)]);
        Assert.Equal(("", 0), (printed.Error, printed.Code));
        Assert.Equal(CommandLine.Run("train", name, "--print-config").Out, printed.Out);
    }
}
