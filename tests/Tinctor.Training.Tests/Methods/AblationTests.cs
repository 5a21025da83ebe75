using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;

namespace Tinctor.Training.Tests.Methods;

/// <summary>Variants of ablation studies.</summary>
public class AblationTests
{
    public static TheoryData<string, string> Variants()
    {
        var variants = new TheoryData<string, string>();
        foreach ((string method, RunConfig config) in RunConfig.Methods)
            foreach (Ablation ablation in config.Model.Ablations) variants.Add(method, ablation.Key);
        return variants;
    }

    [Theory, MemberData(nameof(Variants))]
    public void Ablation_changes_the_settings_that_it_names(string method, string key)
    {
        string full = ConfigFile.Write(RunConfig.Methods[method]);
        Ablation ablation = RunConfig.Methods[method].Model.Ablations.Single(variant => variant.Key == key);

        string changed = ConfigFile.Write(ConfigFile.LoadText(full, method, ablation.Settings));

        Assert.InRange(full.Split('\n').Except(changed.Split('\n')).Count(), 1, ablation.Settings.Count);
    }
}
