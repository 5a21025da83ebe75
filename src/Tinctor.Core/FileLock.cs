using System.Globalization;
using System.Text.Json;

namespace Tinctor.Core;

/// <summary>
/// Lock on a folder or file that one process works on, held as a small JSON file with host, process id and a heartbeat. Locks of processes
/// that died are taken over: at once on the same host, after <see cref="Stale"/> on another.
/// </summary>
public sealed class FileLock : IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly string path;
    private readonly Holder self;
    private readonly Timer heartbeat;
    private readonly Lock access = new();
    private bool released;

    private FileLock(string path, Holder self)
    {
        this.path = path;
        this.self = self;
        heartbeat = new Timer(_ => Beat(), null, Interval, Interval);
    }

    /// <summary>Age of a heartbeat at which a lock of another host counts as abandoned.</summary>
    public static TimeSpan Stale { get; } = TimeSpan.FromMinutes(2);

    private static TimeSpan Interval { get; } = TimeSpan.FromSeconds(20);

    /// <summary>Acquires a lock.</summary>
    /// <param name="path">The lock file; its folder is created if needed.</param>
    /// <param name="target">What is locked, named in the error.</param>
    /// <exception cref="TinctorException">A running process holds the lock; the message names its host and process id.</exception>
    public static FileLock Acquire(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var self = new Holder(Environment.MachineName, Environment.ProcessId, Guid.NewGuid().ToString("N"));
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                    JsonSerializer.Serialize(file, self, Json);
                return new FileLock(path, self);
            }
            catch (IOException) when (File.Exists(path))
            {
                Holder? holder = Read(path);
                if (attempt > 2 || !IsAbandoned(path, holder)) throw Refuse(path, target, holder);
                File.Delete(path);
            }
        }
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose()
    {
        heartbeat.Dispose();
        lock (access)
        {
            if (released) return;
            released = true;
            if (Read(path)?.Id == self.Id) File.Delete(path);
        }
    }

    private void Beat()
    {
        lock (access)
        {
            if (released) return;
            try
            {
                if (Read(path)?.Id == self.Id) File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            }
            catch (IOException)
            {
                // The next beat tries again.
            }
        }
    }

    private static bool IsAbandoned(string path, Holder? holder)
    {
        bool old = DateTime.UtcNow - File.GetLastWriteTimeUtc(path) > Stale;
        // A file that cannot be read is just being written, or damaged.
        if (holder is null) return old;
        return holder.Host == Environment.MachineName ? !IsRunning(holder.Process) : old;
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static Holder? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Holder>(File.ReadAllBytes(path), Json);
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return null;
        }
    }

    private static TinctorException Refuse(string path, string target, Holder? holder) => new(target,
        holder is null ? "is in use by another process"
            : $"is in use by process {holder.Process.ToString(CultureInfo.InvariantCulture)} on {holder.Host}",
        $"Wait until it has finished, or stop it; if it is gone, remove {path}");

    private sealed record Holder(string Host, int Process, string Id);
}
