using System.Globalization;
using System.Text.RegularExpressions;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Lock on the tiles of an unfinished slide. One process stains a whole slide; or several stain a band of it each, which exclude those
/// that stain or write the whole slide.
/// </summary>
/// <remarks>
/// The lock of the whole slide is also held while a band is locked, so that either side sees the other. A process that has stained its band
/// gives the band's lock back and asks for that of the whole slide. The last one to do so finds no other band locked.
/// </remarks>
internal sealed partial class TileLock : IDisposable
{
    private const string Extension = ".lock";

    // Bands are locked and begun in moments; a slide that is being written takes longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string folder;
    private readonly string target;
    private FileLock? access;

    private TileLock(string folder, string target, FileLock access, Shard? band) =>
        (this.folder, this.target, this.access, Band) = (folder, target, access, band);

    /// <summary>The locked band; null for the whole slide.</summary>
    public Shard? Band { get; private set; }

    /// <summary>Locks the tiles of a slide.</summary>
    /// <param name="folder">Folder of the tiles.</param>
    /// <param name="target">The stained slide, named in errors.</param>
    /// <param name="band">Band to lock; null for the whole slide.</param>
    /// <param name="isFinished">Asked under the lock: whether the slide was finished meanwhile; null for no.</param>
    /// <returns>The lock; null if the slide is finished.</returns>
    /// <exception cref="TinctorException">Another process stains the slide or the band.</exception>
    public static TileLock? TryAcquire(string folder, string target, Shard? band, Func<bool>? isFinished)
    {
        FileLock whole = band is null ? AcquireWhole(folder, target, TimeSpan.Zero)
            : FileLock.Acquire(WholePath(folder), target, Patience);
        if (isFinished?.Invoke() == true)
        {
            whole.Dispose();
            return null;
        }
        if (band is not { } part) return new(folder, target, whole, null);
        using (whole) return new(folder, target, FileLock.Acquire(BandPath(folder, part), $"{target}, band {part}"), band);
    }

    /// <summary>Gets the processes that work on a slide: their host, process and band.</summary>
    /// <param name="folder">Folder of the tiles.</param>
    public static IReadOnlyList<(FileLock.Holder Holder, Shard? Band)> FindHolders(string folder) =>
    [
        .. FileLock.FindHolder(WholePath(folder)) is { } whole ? new[] { (whole, (Shard?)null) } : [],
        .. BandsOf(folder).Select(band => (Holder: FileLock.FindHolder(BandPath(folder, band)), band))
            .Where(found => found.Holder is not null).Select(found => (found.Holder!, (Shard?)found.band)),
    ];

    /// <summary>Locks the whole slide for a moment, beside bands.</summary>
    public FileLock? HoldWhole() => Band is null ? null : FileLock.Acquire(WholePath(folder), target, Patience);

    /// <summary>
    /// Gives back the lock of the band, and locks the whole slide. False if other bands are locked, or the whole slide is: then another
    /// process is to write the slide.
    /// </summary>
    public bool TryLockWhole()
    {
        if (Band is null) return true;
        access?.Dispose();
        access = null;
        try
        {
            access = AcquireWhole(folder, target, Patience);
            Band = null;
            return true;
        }
        catch (TinctorException e) when (e.IsInUse)
        {
            return false;
        }
    }

    /// <summary>Deletes what dead processes left of the locks of bands.</summary>
    public void DeleteLeftovers()
    {
        if (Directory.Exists(BandsFolder(folder))) Directory.Delete(BandsFolder(folder), recursive: true);
    }

    /// <summary>Lets other processes use the tiles.</summary>
    public void Dispose() => access?.Dispose();

    private static FileLock AcquireWhole(string folder, string target, TimeSpan patience)
    {
        FileLock whole = FileLock.Acquire(WholePath(folder), target, patience);
        foreach (Shard band in BandsOf(folder))
        {
            if (FileLock.FindHolder(BandPath(folder, band), whole.FindTime()) is not { } holder) continue;
            whole.Dispose();
            throw new TinctorException(target, $"band {band} is in use by process {holder.Process} on {holder.Host}",
                "Wait until it has finished, or stop it.")
            { IsInUse = true };
        }
        return whole;
    }

    private static string WholePath(string folder) => folder + Extension;

    private static string BandsFolder(string folder) => folder + ".bands";

    private static string BandPath(string folder, Shard band) => Path.Combine(BandsFolder(folder), band.FileName + Extension);

    private static IEnumerable<Shard> BandsOf(string folder) => !Directory.Exists(BandsFolder(folder)) ? []
        : Directory.GetFiles(BandsFolder(folder), "*-of-*").Select(file => BandName().Match(Path.GetFileName(file)))
            .Where(name => name.Success).Select(name => new Shard(Number(name.Groups[1]), Number(name.Groups[2])))
            .Distinct().OrderBy(band => band.Count).ThenBy(band => band.Number);

    private static int Number(Group digits) => int.Parse(digits.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(\d{1,7})-of-(\d{1,7})\.lock")]
    private static partial Regex BandName();
}
