using System.CommandLine;
using System.Net;
using Microsoft.Extensions.Logging;
using Tinctor.Registration.Slides;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Transforms;
using Tinctor.Viewer;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor serve</c>: shows slides, models and runs in a browser.</summary>
internal static class ServeCommand
{
    /// <summary>Environment variable with the token, which other users cannot read as they can a command line.</summary>
    private const string TokenVariable = "TINCTOR_VIEWER_TOKEN";

    private const string Description = """
        Show slides, stained slides, models and training runs in a browser. Only this computer reaches the server, unless --host
        names another address; clients then need a token, which is generated and printed. Ctrl-C stops the server.

        Examples:
          tinctor serve --slides slides stained
          tinctor serve --slides slides --models models --runs runs --port 9000
          tinctor serve --slides slides --host 0.0.0.0 --certificate server.pfx --certificate-password secret
        """;

    private static readonly Option<string[]> Slides = Folders("--slides", "Folders of slides and stained slides, or single slides");
    private static readonly Option<string[]> Models = Folders("--models", "Model folders, or folders of them");
    private static readonly Option<string[]> Runs = Folders("--runs", "Run folders of trainings, or folders of them");
    private static readonly Option<string?> Results = new("--results")
    {
        Description = "Folder for slides stained in the viewer [default: tinctor/stained in the user's data folder]",
        HelpName = "DIR",
    };
    private static readonly Option<string> Host = new("--host")
    {
        Description = "IP address to listen on; 0.0.0.0 for all of this computer",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => new ViewerOptions().Host,
    };
    private static readonly Option<int> Port = PortOption();
    private static readonly Option<string[]> IiifOrigins = new("--iiif-origins")
    {
        Description = "Origins of web pages that may read slides by IIIF, or *",
        HelpName = "ORIGIN",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string[]> AllowedHosts = new("--allowed-hosts")
    {
        Description = "Names by which clients may call the server, besides those of this computer",
        HelpName = "NAME",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<string?> Token = new("--token")
    { Description = $"Token that clients must present, at least 16 characters; or the variable {TokenVariable}", HelpName = "TEXT" };
    private static readonly Option<string?> Certificate =
        new("--certificate") { Description = "Certificate with private key for HTTPS (PKCS #12, .pfx)", HelpName = "FILE" };
    private static readonly Option<string?> CertificatePassword =
        new("--certificate-password") { Description = "Password of the certificate's file", HelpName = "TEXT" };

    public static Command Create()
    {
        var command = new GroupedCommand("serve", Description)
        {
            { "Content", Slides, Models, Runs, Results },
            { "Address", Host, Port, AllowedHosts, IiifOrigins },
            { "Access", Token, Certificate, CertificatePassword },
        };
        command.SetAction(RunAsync);
        return command;
    }

    /// <summary>Creates --port.</summary>
    public static Option<int> PortOption() => new Option<int>("--port")
    {
        Description = "Port to listen on; 0 for a free one",
        HelpName = "N",
        DefaultValueFactory = _ => ViewerOptions.DefaultPort,
    }.Between(0, IPEndPoint.MaxPort);

    /// <summary>Registration of slides for the viewer; null without libtorch, which is loaded by the first registration.</summary>
    public static Func<Slide, Slide, IProgress<double>, RegistrationTransform>? EstimateTransform => !TorchLibrary.IsInstalled ? null
        : (source, target, progress) =>
        {
            Threads.Use(0);
            return SlideRegistration.Estimate(source, target, new(), progress);
        };

    /// <summary>Prints errors of the server.</summary>
    public static void Log(ILoggingBuilder logging) => logging.AddProvider(new TerminalLog());

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var options = new ViewerOptions
        {
            Slides = parse.GetValue(Slides) ?? [],
            Models = parse.GetValue(Models) ?? [],
            Runs = parse.GetValue(Runs) ?? [],
            Results = parse.GetValue(Results),
            Host = parse.GetRequiredValue(Host),
            Port = parse.GetValue(Port),
            IiifOrigins = parse.GetValue(IiifOrigins) ?? [],
            AllowedHosts = parse.GetValue(AllowedHosts) ?? [],
            Token = parse.GetValue(Token) ?? (Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? token : null),
            Certificate = parse.GetValue(Certificate),
            CertificatePassword = parse.GetValue(CertificatePassword),
            EstimateTransform = EstimateTransform,
        };
        await using ViewerServer server = await ViewerServer.StartAsync(options, Log, cancel);
        Terminal.Result($"Tinctor serves at {server.AddressOf()}");
        if (options.Host is "0.0.0.0" or "::") Terminal.Note($"Other computers use {Environment.MachineName} instead of localhost.");
        Terminal.Note("Research use only. Ctrl-C stops the server.");
        if (server.Token is not null && options.Certificate is null && options.Host is not ("127.0.0.1" or "localhost" or "::1"))
            Terminal.Warning($"the connection is not encrypted: others on the network can read the token. Use {Certificate.Name}.");
        await server.RunAsync(cancel);
        return 0;
    }

    private static Option<string[]> Folders(string name, string description) =>
        new(name) { Description = description, HelpName = "DIR", AllowMultipleArgumentsPerToken = true };

    // Writes to the terminal of the command, which requests do not inherit.
    private sealed class TerminalLog : ILoggerProvider, ILogger
    {
        private readonly ExecutionContext? context = ExecutionContext.Capture();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            string text = exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {Errors.Text(exception)}";
            void Print(object? _)
            {
                if (logLevel == LogLevel.Warning) Terminal.Warning(text);
                else Terminal.Problem(text);
            }
            if (context is null) Print(null);
            else ExecutionContext.Run(context, Print, null);
        }

        public void Dispose()
        {
        }
    }
}
