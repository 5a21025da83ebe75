using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using Tinctor.Viewer;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor view</c>: shows one slide in the default browser.</summary>
internal static class ViewCommand
{
    private const string Description = """
        Show a slide in the default browser. Only this computer reaches the server, and only this slide is served. Ctrl-C stops it.

        Examples:
          tinctor view slide.svs
          tinctor view stained/slide.ome.tif --port 9000
          tinctor view slide.svs --no-browser           prints the address only
        """;

    private static readonly Argument<string> Slide = new("slide") { Description = "Slide, image, or folder of a DICOM series" };
    private static readonly Option<int> Port = ServeCommand.PortOption();
    private static readonly Option<bool> NoBrowser = new("--no-browser") { Description = "Print the address without opening a browser" };

    public static Command Create()
    {
        Port.DefaultValueFactory = _ => 0;
        var command = new Command("view", Description) { Slide, Port, NoBrowser };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        string path = parse.GetRequiredValue(Slide);
        // An unreadable slide is reported here rather than in the browser.
        using (Tinctor.Slides.Slide.Open(path))
        {
        }
        var options = new ViewerOptions { Slides = [path], Port = parse.GetValue(Port) };
        await using ViewerServer server = await ViewerServer.StartAsync(options, ServeCommand.Log, cancel);
        Uri address = server.AddressOf(ViewerServer.PageOf(path));
        Terminal.Result($"{path} is shown at {address}");
        Terminal.Note("Research use only. Ctrl-C stops the server.");
        if (!parse.GetValue(NoBrowser)) OpenBrowser(address);
        await server.RunAsync(cancel);
        return 0;
    }

    private static void OpenBrowser(Uri address)
    {
        try
        {
            // On Windows the shell finds the browser; elsewhere a program does.
            ProcessStartInfo start = OperatingSystem.IsWindows() ? new(address.AbsoluteUri) { UseShellExecute = true }
                : new(OperatingSystem.IsMacOS() ? "open" : "xdg-open", [address.AbsoluteUri])
                { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process? _ = Process.Start(start);
        }
        catch (Win32Exception)
        {
            Terminal.Note("No browser was found. Open the address in one.");
        }
    }
}
