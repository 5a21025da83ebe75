using System.Net;
using Tinctor.Viewer.Security;
using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Viewer;

/// <summary>Options of the viewer's server: folders, address, access and limits.</summary>
public sealed record ViewerOptions
{
    /// <summary>Default port.</summary>
    public const int DefaultPort = 8265;

    private const int ShortestToken = 16, HighestPort = 65_535;

    /// <summary>Folders of slides, subfolders included, or single slides. Stained slides in them are linked to their sources.</summary>
    public IReadOnlyList<string> Slides { get; init; } = [];

    /// <summary>Model folders, or folders of them.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Run folders of trainings, or folders of them.</summary>
    public IReadOnlyList<string> Runs { get; init; } = [];

    /// <summary>
    /// Folder of the slides that are stained in the viewer, in a subfolder for each model, and of the list of jobs; null for
    /// tinctor/stained in the user's data folder.
    /// </summary>
    public string? Results { get; init; }

    /// <summary>IP address to listen on; 127.0.0.1 by default, which only this computer reaches.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port to listen on; 0 for a free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>
    /// Token that clients must present, at least 16 characters. If null, one is generated, except for addresses of this computer, which
    /// then need none.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Certificate for HTTPS with its private key, a PKCS #12 file (.pfx); null for HTTP.</summary>
    public string? Certificate { get; init; }

    /// <summary>Password of the certificate's file; null if it has none.</summary>
    public string? CertificatePassword { get; init; }

    /// <summary>Host names that requests may use, besides the names and addresses of this computer.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>
    /// Origins of web pages that may read slides by IIIF, such as https://mirador.example.org, or * for all; none by default. Without a
    /// token, such a page reads all slides of the server.
    /// </summary>
    public IReadOnlyList<string> IiifOrigins { get; init; } = [];

    /// <summary>Folder of cached thumbnails; null for the user's cache folder.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Largest number of regions that are decoded at once, at least 1; by default the number of processors.</summary>
    public int Readers { get; init; } = Environment.ProcessorCount;

    /// <summary>Largest number of regions that wait for decoding; further requests are refused with status 429. 512 by default.</summary>
    public int QueuedReads { get; init; } = 512;

    /// <summary>Number of slides that are kept open, at least 1; 32 by default.</summary>
    public int OpenSlides { get; init; } = 32;

    /// <summary>Memory for encoded tiles in bytes; 128 MB by default.</summary>
    public long CachedBytes { get; init; } = 128_000_000;

    /// <summary>
    /// Estimates the transform from a source to a target slide, in level-0 pixels; receives the completed share, 0 to 1. Null if slides
    /// cannot be registered automatically. The viewer itself does not depend on the registration, which needs libtorch.
    /// </summary>
    public Func<Slide, Slide, IProgress<double>, RegistrationTransform>? EstimateTransform { get; init; }

    /// <summary>Age from which on the lists of folders are read again.</summary>
    internal TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time after which a client that sends or reads a body slowly is disconnected; more than 1 s.</summary>
    internal TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time that a client has to send the headers of a request.</summary>
    internal TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest body of a request in bytes.</summary>
    internal long LargestBody { get; init; } = 1 << 20;

    /// <summary>The address of <see cref="Host"/>.</summary>
    internal IPAddress Address => Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(Host);

    /// <summary>Checks the options.</summary>
    /// <exception cref="TinctorException">A value is not allowed, or a folder or file is missing.</exception>
    public void Validate()
    {
        if (Slides.Count + Models.Count + Runs.Count == 0)
            throw new OptionException(nameof(Slides), "no folder is named", "Name folders of slides, models or runs.");
        foreach (string folder in Slides.Where(path => !Path.Exists(path)))
            throw new TinctorException(folder, "no such file or folder", "Check the path.") { Option = nameof(Slides) };
        RequireFolders(Models, nameof(Models));
        RequireFolders(Runs, nameof(Runs));
        if (Host != "localhost" && !IPAddress.TryParse(Host, out _))
            throw new OptionException(nameof(Host), $"the host is {Host}, but an IP address is expected",
                "Use 127.0.0.1, or 0.0.0.0 for all.");
        if (Port is < 0 or > HighestPort)
            throw new OptionException(nameof(Port), $"the port is {Port}, expected 0 to {HighestPort}");
        foreach (string origin in IiifOrigins.Where(origin => !RequestGuards.IsOrigin(origin)))
        {
            throw new OptionException(nameof(IiifOrigins), $"the origin is {origin}, expected scheme and host",
                "Use an origin such as https://mirador.example.org, or *.");
        }
        if (Token is { Length: < ShortestToken })
        {
            throw new OptionException(nameof(Token), $"the token has {Token.Length} characters, expected {ShortestToken} or more",
                "Leave it out to have one generated.");
        }
        RequirePositive(Readers, nameof(Readers));
        RequirePositive(QueuedReads, nameof(QueuedReads));
        RequirePositive(OpenSlides, nameof(OpenSlides));
    }

    private static void RequireFolders(IReadOnlyList<string> folders, string option)
    {
        foreach (string folder in folders.Where(path => !Directory.Exists(path)))
            throw new TinctorException(folder, "no such folder", "Check the path.") { Option = option };
    }

    private static void RequirePositive(int value, string option)
    {
        if (value < 1) throw new OptionException(option, $"{option} is {value}, expected 1 or more");
    }
}
