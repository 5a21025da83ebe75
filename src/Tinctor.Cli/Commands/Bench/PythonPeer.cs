using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>Python process that runs the same networks in plain PyTorch (bench/plain/serve.py).</summary>
internal sealed class PythonPeer : IDisposable
{
    private readonly Process process;

    private PythonPeer(Process process, string version) => (this.process, Version) = (process, version);

    /// <summary>Folder of the Python scripts beside this program.</summary>
    public static string Scripts { get; } = Path.Combine(AppContext.BaseDirectory, "bench", "plain");

    private static string Script => Path.Combine(Scripts, "serve.py");

    /// <summary>Version of PyTorch.</summary>
    public string Version { get; }

    /// <summary>Starts Python.</summary>
    /// <param name="python">Python interpreter.</param>
    /// <param name="threads">Number of threads.</param>
    /// <param name="problem">Reason why it does not start; null if it does.</param>
    /// <returns>The process; null if Python or PyTorch are missing.</returns>
    public static PythonPeer? TryStart(string python, int threads, out string? problem)
    {
        problem = null;
        try
        {
            Process process = Process.Start(new ProcessStartInfo(python, [Script, $"{threads}"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["OMP_NUM_THREADS"] = $"{threads}" },
            })!;
            if (process.StandardOutput.ReadLine() is { } line) return new(process, (string)JsonNode.Parse(line)!["torch"]!);
            problem = process.StandardError.ReadToEnd().Trim().Split('\n')[^1];
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            problem = e.Message;
        }
        return null;
    }

    /// <summary>Asks for work.</summary>
    /// <param name="request">Request of serve.py.</param>
    /// <returns>The answer's value.</returns>
    /// <exception cref="TinctorException">Python reports an error, or has ended.</exception>
    public double Ask(object request)
    {
        process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
        process.StandardInput.Flush();
        JsonNode? answer = process.StandardOutput.ReadLine() is { } line ? JsonNode.Parse(line) : null;
        if (answer?["value"] is { } value) return value.GetValue<double>();
        throw new TinctorException(Script, $"the Python process failed ({(string?)answer?["error"] ?? "it has ended"})");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(2000)) process.Kill();
        process.Dispose();
    }
}
