using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Tinctor.Core;

/// <summary>Lock on a folder or file that only one process may work on.</summary>
/// <remarks>
/// Two files make a lock. The lock file is held open exclusively: the operating system ends this when the process dies, and most network
/// file systems pass it on to other computers. The note beside it (<c>.json</c>) names host and process, and is rewritten every 20 seconds
/// for file systems that do not. A note is taken over only by a process that holds the lock file, and only if the process in the note is
/// dead (on this computer) or has not rewritten it for <see cref="Stale"/>.
/// </remarks>
internal sealed class FileLock : IDisposable
{
    private const int Attempts = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly FileStream guard;
    private readonly string note;
    private readonly Holder self;
    private readonly Timer heartbeat;
    private readonly Lock access = new();
    private bool released;

    private FileLock(FileStream guard, string note, Holder self)
    {
        (this.guard, this.note, this.self) = (guard, note, self);
        heartbeat = new Timer(_ => Beat(), null, Interval, Interval);
    }

    /// <summary>Age of a note from which on its process counts as dead if it runs on another computer.</summary>
    public static TimeSpan Stale { get; } = TimeSpan.FromMinutes(2);

    /// <summary>Acquires a lock.</summary>
    /// <param name="path">The lock file; its folder is created if needed.</param>
    /// <param name="target">File or folder that is locked, named in the error.</param>
    /// <exception cref="TinctorException">
    /// A running process holds the lock; the message names its host and process id. Or the lock file cannot be written.
    /// </exception>
    public static FileLock Acquire(string path, string target)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            for (int attempt = 1; attempt <= Attempts; attempt++)
            {
                if (TryAcquire(path, target) is { } acquired) return acquired;
                Thread.Sleep(Pause);
            }
            throw Refuse(target, Read(NoteOf(path)));
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Writing(path, e);
        }
    }

    /// <summary>Acquires a lock; waits for a process that holds it.</summary>
    /// <param name="path">The lock file; its folder is created if needed.</param>
    /// <param name="target">File or folder that is locked, named in the error.</param>
    /// <param name="patience">Longest time to wait.</param>
    /// <exception cref="TinctorException">The lock is still held after this time, or the lock file cannot be written.</exception>
    public static FileLock Acquire(string path, string target, TimeSpan patience)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            try
            {
                return Acquire(path, target);
            }
            catch (TinctorException e) when (e.IsInUse && clock.Elapsed < patience)
            {
                // Processes that started together do not ask again together.
                Thread.Sleep(Pause * (1 + Random.Shared.NextDouble()));
            }
        }
    }

    /// <summary>Whether a running process holds a lock; a process of another computer counts as running until its note is stale.</summary>
    /// <param name="path">The lock file.</param>
    public static bool IsHeld(string path) => FindHolder(path) is not null;

    /// <summary>Gets the running process that holds a lock; null for none.</summary>
    /// <param name="path">The lock file.</param>
    /// <param name="now">Present time, UTC, by the clock of the file system; null for the clock of this computer.</param>
    public static Holder? FindHolder(string path, DateTime? now = null) => Read(NoteOf(path)) is { } holder
        && (holder.IsLocal ? LocalProcess.IsRunning(holder.Process)
            : (now ?? DateTime.UtcNow) - File.GetLastWriteTimeUtc(NoteOf(path)) < Stale) ? holder : null;

    /// <summary>Gets the time at which this lock was acquired or last renewed, UTC, by the clock of the file system.</summary>
    public DateTime FindTime() => File.GetLastWriteTimeUtc(note);

    /// <summary>Releases the lock and deletes its files.</summary>
    public void Dispose()
    {
        lock (access)
        {
            if (released) return;
            released = true;
            heartbeat.Dispose();
            if (Read(note)?.Id == self.Id) File.Delete(note);
            guard.Dispose();
        }
    }

    // Null if another process is just acquiring or releasing the lock.
    private static FileLock? TryAcquire(string path, string target)
    {
        string note = NoteOf(path);
        if (OpenGuard(path) is not { } guard) return Read(note) is { } other ? throw Refuse(target, other) : null;
        var self = new Holder(LocalProcess.Host, Environment.ProcessId, Guid.NewGuid().ToString("N"), LocalProcess.Namespace);
        string draft = AtomicFile.TemporaryPath(note);
        bool acquired = false;
        try
        {
            // A process that opened the lock file just before its holder deleted it holds a file that is no longer there.
            if (!File.Exists(path)) return null;
            File.WriteAllBytes(draft, self.ToBytes());
            if (File.Exists(note) && !TryTakeOver(note, draft)) return Read(note) is { } holder ? throw Refuse(target, holder) : null;
            acquired = TryPublish(draft, note);
            return acquired ? new FileLock(guard, note, self) : null;
        }
        finally
        {
            if (!acquired)
            {
                File.Delete(draft);
                guard.Dispose();
            }
        }
    }

    private static string NoteOf(string path) => path + ".json";

    private static FileStream? OpenGuard(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0,
                FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (FileErrors.IsInUse(e))
        {
            return null;
        }
    }

    // Moves the note of a dead process away. Of several processes that do this at once, one has the note that it judged; the others put
    // back the one that they moved.
    private static bool TryTakeOver(string note, string draft)
    {
        Holder? holder = Read(note);
        if (!IsAbandoned(note, holder, draft)) return false;
        string moved = draft + ".old";
        try
        {
            File.Move(note, moved);
            if (Read(moved)?.Id == holder?.Id) return true;
            TryPublish(moved, note);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        finally
        {
            File.Delete(moved);
        }
    }

    private static bool TryPublish(string draft, string note)
    {
        try
        {
            File.Move(draft, note, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(note))
        {
            return false;
        }
    }

    // Both times come from the file system, whose clock may differ from that of this computer.
    private static bool IsAbandoned(string note, Holder? holder, string draft) =>
        (holder is not null && holder.IsLocal && !LocalProcess.IsRunning(holder.Process))
        || File.GetLastWriteTimeUtc(draft) - File.GetLastWriteTimeUtc(note) > Stale;

    private void Beat()
    {
        lock (access)
        {
            if (released) return;
            try
            {
                if (Read(note)?.Id != self.Id) return;
                // The same bytes again: readers see no difference, and the file system sets its time.
                using var file = new FileStream(note, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
                file.Write(self.ToBytes());
            }
            catch (Exception e) when (FileErrors.IsFileError(e))
            {
                // The next beat tries again.
            }
        }
    }

    private static Holder? Read(string note)
    {
        try
        {
            using var file = new FileStream(note, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return JsonSerializer.Deserialize<Holder>(file, Json);
        }
        catch (Exception e) when (e is JsonException || FileErrors.IsFileError(e))
        {
            return null;
        }
    }

    private static TinctorException Refuse(string target, Holder? holder) => new(target,
        holder is null ? "is in use by another process"
            : $"is in use by process {holder.Process.ToString(CultureInfo.InvariantCulture)} on {holder.Host}",
        $"Wait until it has finished, or stop it; the lock of a computer that died ends after {Stale.TotalMinutes} minutes.")
    { IsInUse = true };

    /// <summary>Process that holds a lock.</summary>
    internal sealed record Holder(string Host, int Process, string Id, string Namespace)
    {
        internal bool IsLocal => Host == LocalProcess.Host && Namespace == LocalProcess.Namespace;

        internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);
    }
}
