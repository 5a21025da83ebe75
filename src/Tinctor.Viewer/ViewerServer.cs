using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using Tinctor.Viewer.Api;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;
using Tinctor.Viewer.Measurements;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Registrations;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer;

/// <summary>
/// Web server that shows slides, stained slides, models and training runs. It reads the folders of its options only, and listens on this
/// computer only unless another address is given, which then needs a token.
/// </summary>
public sealed class ViewerServer : IAsyncDisposable
{
    private const int MostConnections = 1000;
    private const double RegistrationRefresh = 5; // intervals of the slides, as transforms change rarely

    // In bytes a second, after a time of grace; slower clients are disconnected.
    private const int LeastDataRate = 240;

    private readonly WebApplication app;
    private readonly AccessToken? access;

    private ViewerServer(WebApplication app, AccessToken? access) => (this.app, this.access) = (app, access);

    /// <summary>Address of the start page, without the token.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Token that clients must present; null if they need none.</summary>
    public string? Token => access?.Value;

    /// <summary>Services of the server.</summary>
    internal IServiceProvider Services => app.Services;

    /// <summary>Starts a server.</summary>
    /// <param name="options">Folders, address, access and limits.</param>
    /// <param name="logging">Adds receivers of log messages; null for none.</param>
    /// <param name="cancel">Cancels the start.</param>
    /// <exception cref="TinctorException">An option is not allowed, a folder is missing, or the address is in use.</exception>
    public static async Task<ViewerServer> StartAsync(
        ViewerOptions options, Action<ILoggingBuilder>? logging = null, CancellationToken cancel = default)
    {
        options.Validate();
        string? token = options.Token ?? (IPAddress.IsLoopback(options.Address) ? null : AccessToken.Generate());
        AccessToken? access = token is null ? null : new(token);
        var server = new ViewerServer(Build(options, access, logging), access);
        try
        {
            await server.app.StartAsync(cancel);
            var address = new UriBuilder(
                server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            if (IsAny(options.Address)) address.Host = "localhost";
            server.Address = address.Uri;
            return server;
        }
        catch (Exception e)
        {
            await server.DisposeAsync();
            if (e is IOException { InnerException: AddressInUseException })
            {
                throw new TinctorException(null, $"the port {options.Port} of {options.Host} is in use", "Choose another port.", e)
                { Option = nameof(ViewerOptions.Port) };
            }
            if (e is SocketException)
            {
                throw new TinctorException(null, $"cannot listen on {options.Host}:{options.Port} ({e.Message})",
                    "Use an address of this computer.", e)
                { Option = nameof(ViewerOptions.Host) };
            }
            throw;
        }
    }

    /// <summary>Returns the address that opens a page in a browser, with the token if clients need one.</summary>
    /// <param name="path">The page, such as / or /view?slide=ID.</param>
    public Uri AddressOf(string path = "/") => new(Address, access is null ? path
        : $"{AccessCheck.LoginPath}?token={Uri.EscapeDataString(access.Value)}&to={Uri.EscapeDataString(path)}");

    /// <summary>Returns the path of the page that shows a slide.</summary>
    /// <param name="slide">File or folder of a slide in the folders of the server.</param>
    public static string PageOf(string slide) => $"/view?slide={SafeFolders.IdOf(SafeFolders.RealPath(slide) ?? slide)}";

    /// <summary>Waits until the server is stopped by a cancellation, and stops it in order.</summary>
    public Task RunAsync(CancellationToken cancel) => app.WaitForShutdownAsync(cancel);

    /// <summary>Stops the server; requests that are running have some seconds to end.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        access?.Dispose();
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static WebApplication Build(ViewerOptions options, AccessToken? access, Action<ILoggingBuilder>? logging)
    {
        // Nothing is read from the environment or the current folder.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, options));
        if (options.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        // Errors of the start are exceptions, which the caller reports.
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft", LogLevel.Error)
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        logging?.Invoke(builder.Logging);
        AddServices(builder.Services, options);
        // Signals are the program's; the lifetime of a console would take them.
        builder.Services.AddSingleton<IHostLifetime, ProgramLifetime>();
        WebApplication app = builder.Build();
        app.UseResponseHeaders();
        if (options.IiifOrigins.Count > 0) app.UseIiifOrigins(options.IiifOrigins);
        app.UseExceptionHandler();
        app.UseHostFiltering();
        if (access is not null) app.UseAccessToken(access);
        // Before the check, which needs the limits of the addresses.
        app.UseRouting();
        app.UseWriteCheck();
        app.UseStatusCodePages();
        Map(app);
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, ViewerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.LargestBody;
        kestrel.Limits.RequestHeadersTimeout = options.HeaderTimeout;
        kestrel.Limits.MinRequestBodyDataRate = new(LeastDataRate, options.BodyGrace);
        kestrel.Limits.MinResponseDataRate = new(LeastDataRate, options.BodyGrace);
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Listen(options.Address, options.Port, listen =>
        {
            if (options.Certificate is not null) listen.UseHttps(Certificate(options));
        });
    }

    private static X509Certificate2 Certificate(ViewerOptions options)
    {
        try
        {
            return X509CertificateLoader.LoadPkcs12(InputFile.ReadAllBytes(options.Certificate!), options.CertificatePassword);
        }
        catch (CryptographicException e)
        {
            throw new TinctorException(options.Certificate, "cannot be opened as a certificate with a private key",
                "Check the password, and that it is a PKCS #12 file (.pfx).", e)
            { Option = nameof(ViewerOptions.CertificatePassword) };
        }
    }

    private static void AddServices(IServiceCollection services, ViewerOptions options)
    {
        services.AddRouting();
        services.AddProblemDetails();
        services.ConfigureHttpJsonOptions(json => (json.SerializerOptions.RespectNullableAnnotations,
            json.SerializerOptions.RespectRequiredConstructorParameters) = (true, true));
        services.AddExceptionHandler<ErrorAnswers>();
        services.AddHostFiltering(hosts =>
        {
            hosts.AllowedHosts = RequestGuards.HostNames(options.Address, options.AllowedHosts);
            (hosts.AllowEmptyHosts, hosts.IncludeFailureMessage) = (false, false);
        });
        services.AddHealthChecks();
        services.AddOpenApi();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddPrometheusExporter()
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", ViewerMeter.Name));
        string results = options.Results ?? UserFolders.Stained;
        Directory.CreateDirectory(results);
        var slides = new SafeFolders([.. options.Slides, results]);
        services.AddSingleton(new SlideCatalogue(slides, options.RefreshInterval));
        services.AddSingleton(new ThumbnailCache(options.CacheFolder));
        services.AddSingleton(_ => new TileCache(options.CachedBytes));
        services.AddSingleton(provider => new ReadQueue(options.Readers, options.QueuedReads,
            provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton(provider => new SlidePool(options.OpenSlides, slides.Contains, provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<SlideReader>();
        services.AddSingleton(new ModelEndpoints(new(options.Models), options.RefreshInterval));
        services.AddSingleton(provider => new StainedPlaces(results, provider.GetRequiredService<SlideCatalogue>(),
            provider.GetRequiredService<ModelEndpoints>().FindStaining));
        services.AddSingleton(provider => new StainingJobs(new(Path.Combine(results, "jobs.db")),
            provider.GetRequiredService<ILogger<StainingJobs>>()));
        services.AddSingleton(provider => new StainingQueue(provider.GetRequiredService<StainingJobs>(), options.QueuedReads,
            provider.GetRequiredService<ILogger<StainingQueue>>()));
        services.AddHostedService(provider => provider.GetRequiredService<StainingQueue>());
        services.AddSingleton(provider => new JobEndpoints(provider.GetRequiredService<StainingJobs>(),
            provider.GetRequiredService<StainedPlaces>(), provider.GetRequiredService<ModelEndpoints>(),
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        services.AddSingleton<StainedEndpoints>();
        services.AddSingleton(provider =>
            new RegionEndpoints(provider.GetRequiredService<SlideCatalogue>(), Path.Combine(results, "regions")));
        services.AddSingleton<Measurer>();
        services.AddSingleton(provider => new MeasurementQueue(provider.GetRequiredService<Measurer>().Run,
            provider.GetRequiredService<ILogger<MeasurementQueue>>()));
        services.AddHostedService(provider => provider.GetRequiredService<MeasurementQueue>());
        services.AddSingleton<MeasurementEndpoints>();
        services.AddSingleton(provider => new RegistrationCatalogue(provider.GetRequiredService<SlideCatalogue>(),
            Path.Combine(results, "registrations"), RegistrationRefresh * options.RefreshInterval));
        services.AddSingleton(provider => new RegistrationQueue(provider.GetRequiredService<RegistrationCatalogue>(),
            options.EstimateTransform, provider.GetRequiredService<ILogger<RegistrationQueue>>()));
        services.AddHostedService(provider => provider.GetRequiredService<RegistrationQueue>());
        services.AddSingleton<RegistrationEndpoints>();
        services.AddSingleton(provider => new RunEndpoints(new(options.Runs), options.RefreshInterval,
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/api/v1/info", () => InfoJson.OfProgram).WithTags("Server")
            .WithSummary("Gets name and version of the program");
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false });
        app.MapHealthChecks("/health/ready");
        app.MapPrometheusScrapingEndpoint();
        app.MapOpenApi();
        SlideCatalogue catalogue = app.Services.GetRequiredService<SlideCatalogue>();
        SlideReader reader = app.Services.GetRequiredService<SlideReader>();
        ModelEndpoints models = app.Services.GetRequiredService<ModelEndpoints>();
        new SlideEndpoints(catalogue, reader, models.NameOf).Map(app);
        new OpenEndpoint(catalogue).Map(app);
        new IiifEndpoints(catalogue, reader).Map(app);
        models.Map(app);
        app.Services.GetRequiredService<RunEndpoints>().Map(app);
        app.Services.GetRequiredService<RegionEndpoints>().Map(app);
        app.Services.GetRequiredService<RegistrationEndpoints>().Map(app);
        app.Services.GetRequiredService<JobEndpoints>().Map(app);
        app.Services.GetRequiredService<StainedEndpoints>().Map(app);
        app.Services.GetRequiredService<MeasurementEndpoints>().Map(app);
        Pages.Map(app);
    }

    // The program starts and stops the server.
    private sealed class ProgramLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
