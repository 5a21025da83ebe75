using System.CommandLine;
using Tinctor.Evaluation;
using Tinctor.Evaluation.Metrics;
using Tinctor.Training.Networks;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for the protocol and for image metrics without weights.</summary>
internal static class MetricOptions
{
    private static readonly Option<string> ProtocolName = new("--protocol")
    {
        Description = "Published protocol: bci (1,024 px images) or centre-256 (crops)",
        HelpName = string.Join('|', EvaluationProtocol.All.Keys),
        DefaultValueFactory = _ => EvaluationProtocol.Default.Name,
    };

    private static readonly Option<string> SsimName = new("--ssim")
    {
        Description = "SSIM window: uniform7 (scikit-image), gaussian11 (Wang) or another",
        HelpName = string.Join('|', Ssim.Names.Keys),
        DefaultValueFactory = _ => "uniform7",
    };

    private static readonly Option<string[]> MetricKeys = CommonOptions.Names("--metrics",
        "Metrics beside PSNR and SSIM, as in mae_dab,delta_e76, or all [default: those of the protocol]", "KEY");

    /// <summary>All options.</summary>
    public static IReadOnlyList<Option> All { get; } = MakeAll();

    private static Option[] MakeAll()
    {
        ProtocolName.Among([.. EvaluationProtocol.All.Keys]);
        SsimName.Among([.. Ssim.Names.Keys]);
        return [ProtocolName, SsimName, MetricKeys];
    }

    /// <summary>Gets the protocol.</summary>
    public static EvaluationProtocol Protocol(ParseResult parse) => EvaluationProtocol.All[parse.GetRequiredValue(ProtocolName)];

    /// <summary>Gets the definition of SSIM.</summary>
    public static SsimVariant SsimVariant(ParseResult parse) => Ssim.Names[parse.GetRequiredValue(SsimName)];

    /// <summary>Gets the keys of the metrics.</summary>
    public static string[] Keys(ParseResult parse) => parse.GetRequiredValue(MetricKeys);

    /// <summary>Chooses the network of LPIPS: the given one, that of the protocol, or AlexNet.</summary>
    /// <exception cref="OptionException">The given network is not that of the protocol.</exception>
    public static LpipsNet LpipsNetwork(ParseResult parse, string? given)
    {
        EvaluationProtocol protocol = Protocol(parse);
        LpipsNet? chosen = given is null ? null : Enum.Parse<LpipsNet>(given, ignoreCase: true);
        if (chosen is { } own && protocol.LpipsNetwork is { } needed && own != needed)
            throw new OptionException("Lpips",
                $"LPIPS is {given}, but the protocol {protocol.Name} uses {needed.ToString().ToLowerInvariant()}",
                "Leave the network out, or choose the protocol tinctor");
        return chosen ?? protocol.LpipsNetwork ?? LpipsNet.Alex;
    }
}
