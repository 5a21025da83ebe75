using System.Diagnostics;
using System.Text;

namespace Tinctor.Core.Tests;

/// <summary>Second process that a test starts: this program with arguments that name what it does. It ends when its input ends.</summary>
internal sealed class OtherProcess : IDisposable
{
    private const string Marker = "--other-process";
    private readonly Process process;

    private OtherProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public static int Main(string[] args) => args is [Marker, var action, var path] ? Run(action, path)
        : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();

    /// <summary>Starts a process that acquires a lock and says "held" or "refused".</summary>
    public static OtherProcess Lock(string path) => Start("lock", path);

    /// <summary>Starts a process that says "writing" in the middle of writing a file.</summary>
    public static OtherProcess Write(string path) => Start("write", path);

    public string? ReadLine() => process.StandardOutput.ReadLine();

    /// <summary>Lets the process go on.</summary>
    public void Continue() => process.StandardInput.WriteLine();

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    private static OtherProcess Start(string action, string path)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (string argument in new[] { typeof(OtherProcess).Assembly.Location, Marker, action, path })
            start.ArgumentList.Add(argument);
        return new OtherProcess(Process.Start(start)!);
    }

    private static int Run(string action, string path)
    {
        if (action == "lock") Lock();
        else Write();
        return 0;

        void Lock()
        {
            Say("ready");
            try
            {
                using FileLock held = FileLock.Acquire(path, "data");
                Say("held");
            }
            catch (TinctorException)
            {
                Say("refused");
            }
        }

        void Write() => AtomicFile.Write(path, stream =>
        {
            stream.Write("half of"u8);
            stream.Flush();
            Say("writing");
        });

        static void Say(string word)
        {
            Console.WriteLine(word);
            Console.ReadLine();
        }
    }
}
