using System.Runtime.InteropServices;

namespace Tinctor.Cli.Startup;

/// <summary>
/// Ctrl-C and SIGTERM of a command: the first one cancels it, so that it saves its work; the second one ends the process at once.
/// </summary>
internal sealed class TerminationSignals : IDisposable
{
    private readonly CancellationTokenSource source;
    private readonly Action<string> note;
    private readonly PosixSignalRegistration[] registrations;
    private int received;

    /// <param name="cancel">Cancels the command too.</param>
    /// <param name="note">Receives a note at the first signal.</param>
    public TerminationSignals(CancellationToken cancel, Action<string> note)
    {
        this.note = note;
        source = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }
            .Select(signal => PosixSignalRegistration.Create(signal, Handle))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>Exit code of the cancelled command: 128 and the number of the signal.</summary>
    public int ExitCode { get; private set; } = Errors.Cancelled;

    /// <summary>Restores the default handling of the signals.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        // The default handling of the second signal ends the process; unfinished files have temporary names.
        if (Interlocked.Increment(ref received) > 1) return;
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGTERM) ExitCode = Errors.Terminated;
        note("Stopping in order; Ctrl-C ends the command at once.");
        source.Cancel();
    }
}
