using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Data.Sqlite;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Viewer.Jobs;

namespace Tinctor.Viewer.Tests.Jobs;

/// <summary>Stains a part of the sample slide with the sample model: four tiles.</summary>
public sealed class StainingQueueTests : IDisposable
{
    private const int Width = 1400, Height = 1000;

    private readonly TemporaryFolder folder = new();

    public StainingQueueTests()
    {
        using Slide whole = Slide.Open(RepositoryFiles.Path("samples/data/phantom/he.ome.tif"));
        SlideWriter.Write(folder.File("slide.ome.tif"), new SlideSpec(Width, Height) { Mpp = 0.5 }, whole.Read(0, 0, 0, Width, Height));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Job_goes_on_after_restart_and_writes_slide()
    {
        StainingJob job;
        DateTime first;
        await using (var started = await Started.StartAsync(Store))
        {
            job = started.Jobs.Add(Key("a"));
            Assert.Equal(job.Id, started.Jobs.Add(Key("a")).Id);
            await started.UntilAsync(job.Id, now => now.Done >= 1);
            first = File.GetLastWriteTimeUtc(Tiles("a")[0]);
        }
        Assert.False(File.Exists(Key("a").Target));
        Assert.Contains(Store.Read(), saved => saved.Id == job.Id && saved.IsActive && saved.Done >= 1);
        await using (var restarted = await Started.StartAsync(Store))
        {
            await restarted.UntilAsync(job.Id, now => now.Done >= 2);
            Assert.Equal(first, File.GetLastWriteTimeUtc(Tiles("a")[0]));
            StainingJob done = await restarted.UntilAsync(job.Id, now => now.State is JobState.Finished or JobState.Failed);
            Assert.Equal((JobState.Finished, null, done.Total), (done.State, done.Error, done.Done));
        }
        using Slide stained = Slide.Open(Key("a").Target);
        Assert.Equal((Width, Height), (stained.Width, stained.Height));
        Assert.True(File.Exists(folder.File("a.json")));
        Assert.False(Directory.Exists(folder.File(".a.ome.tif.tiles")));
    }

    [Fact]
    public async Task Tiles_in_view_are_stained_before_those_of_job()
    {
        await using var started = await Started.StartAsync(Store);
        SlideInWork work = await started.Queue.OpenAsync(Key("a"));
        StainingJob job = started.Jobs.Add(Key("a"));
        await started.UntilAsync(job.Id, now => now.Done >= 1);
        // The last corner, which the job reaches at its end.
        Assert.True(await started.Queue.StainAsync(work, work.Width - 200, work.Height - 200, 200, 200,
            TestContext.Current.CancellationToken));
        Assert.Empty(work.Missing(work.Width - 200, work.Height - 200, 200, 200));
        Assert.True(work.Done < work.Total, "the job was faster than the view");
        Assert.Equal(JobState.Paused, started.Jobs.Change(job.Id, JobState.Paused)!.State);
        Assert.Equal(JobState.Cancelled, started.Jobs.Change(job.Id, JobState.Cancelled)!.State);
        Assert.Null(started.Jobs.Change(job.Id, JobState.Paused));
        Image corner = work.Read(work.Width - 100, work.Height - 100, 100, 100, 50, 50);
        Assert.Equal((50, 50), (corner.Width, corner.Height));
    }

    [Fact]
    public async Task Cancelled_request_is_forgotten()
    {
        await using var started = await Started.StartAsync(Store);
        SlideInWork work = await started.Queue.OpenAsync(Key("a"));
        using var leave = new CancellationTokenSource();
        Task<bool> all = started.Queue.StainAsync(work, 0, 0, work.Width, work.Height, leave.Token);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => all);
        Assert.True(await started.Queue.StainAsync(work, 0, 0, 100, 100, TestContext.Current.CancellationToken));
        // At most the tile that was being stained, and that of the second request.
        Assert.InRange(work.Done, 1, 2);
    }

    [Fact]
    public async Task Slides_take_turns()
    {
        await using var started = await Started.StartAsync(Store);
        SlideInWork a = await started.Queue.OpenAsync(Key("a")), b = await started.Queue.OpenAsync(Key("b"));
        Task<bool> first = started.Queue.StainAsync(a, 0, 0, a.Width, a.Height, TestContext.Current.CancellationToken);
        Task<bool> second = started.Queue.StainAsync(b, 0, 0, Width, 300, TestContext.Current.CancellationToken);
        Assert.True(await second);
        Assert.InRange(a.Done, b.Done - 1, b.Done + 2);
        Assert.True(await first);
    }

    [Fact]
    public async Task Job_without_model_fails_with_its_reason()
    {
        await using var started = await Started.StartAsync(Store);
        StainingJob job = started.Jobs.Add(Key("a") with { Model = folder.File("nothing") });
        StainingJob failed = await started.UntilAsync(job.Id, now => now.State == JobState.Failed);
        Assert.StartsWith("nothing: ", failed.Error); // without the folders of the server
    }

    [Fact]
    public async Task Job_on_full_disk_fails_with_its_reason_and_completes_after_space_is_freed()
    {
        using var disk = new SmallDisk(20_000);
        string filler = disk.At("filler"), jobs = disk.At("jobs.db");
        await using var started = await Started.StartAsync(new(jobs));
        Fill(filler);
        WorkKey key = Key("a") with { Target = disk.At("a.ome.tif") };
        // SQLite writes into the pages that its log has, until they are used up.
        string problem = Assert.Throws<TinctorException>(() =>
        {
            for (int i = 0; i < 1000; i++) started.Jobs.Add(key with { Slide = folder.File($"{i}.tif") });
        }).Message;
        Assert.StartsWith($"{jobs}: cannot be written: no space left on the disk", problem);

        // Space for the list of jobs, but not for a tile.
        using (FileStream file = File.OpenWrite(filler)) file.SetLength(file.Length - 100_000);
        StainingJob job = started.Jobs.Add(key);
        StainingJob failed = await started.UntilAsync(job.Id, now => now.State == JobState.Failed);
        Assert.Contains("no space left on the disk", failed.Error);
        Assert.False(File.Exists(key.Target));

        File.Delete(filler);
        Assert.NotNull(started.Jobs.Change(job.Id, JobState.Queued));
        await started.UntilAsync(job.Id, now => now.State == JobState.Finished);
        using Slide stained = Slide.Open(key.Target);
        Assert.Equal((Width, Height), (stained.Width, stained.Height));
    }

    [Fact]
    public async Task Progress_of_job_that_cannot_be_saved_does_not_stop_it()
    {
        using var disk = new SmallDisk(200);
        var store = new JobStore(disk.At("jobs.db"));
        await using var started = await Started.StartAsync(store);
        StainingJob job = started.Jobs.Add(Key("a"));
        Fill(disk.At("filler"));
        await started.UntilAsync(job.Id, now => now.State == JobState.Finished);
        Assert.True(File.Exists(Key("a").Target));
        Assert.NotEqual(JobState.Finished, Assert.Single(store.Read()).State);
    }

    [Fact]
    public void Store_that_is_no_database_is_refused_with_its_reason()
    {
        string path = folder.File("jobs.db", "no database, but a text that is long enough"u8);
        string problem = Assert.Throws<TinctorException>(() => new JobStore(path)).Message;
        Assert.Equal($"{path}: cannot be used as the list of jobs (file is not a database). Move the file away.", problem);
    }

    [Fact]
    public void Store_of_earlier_version_is_read_and_keeps_stains_of_new_jobs()
    {
        SqliteLibrary.Load();
        string path = folder.File("jobs/jobs.db");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var connection = new SqliteConnection($"Data Source={path}"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = """
                CREATE TABLE jobs (
                    id TEXT PRIMARY KEY, slide TEXT NOT NULL, model TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,
                    done INTEGER NOT NULL, total INTEGER NOT NULL, error TEXT, created TEXT NOT NULL, updated TEXT NOT NULL);
                INSERT INTO jobs VALUES ('a', 's', 'm', 't', 'Paused', 3, 9, NULL,
                    '2026-01-02T03:04:05.0000000Z', '2026-01-02T03:04:05.0000000Z')
                """;
            command.ExecuteNonQuery();
        }
        Assert.Equal(("a", 3, (string?)null), Assert.Single(Store.Read()) is var job ? (job.Id, job.Done, job.Stain) : default);
        Store.Write(job with { Id = "b", Stain = "Ki67" });
        Assert.Equal([null, "Ki67"], Store.Read().Select(each => each.Stain));
    }

    private static void Fill(string path)
    {
        using FileStream file = File.Create(path);
        var block = new byte[4096];
        try
        {
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            // The disk is full.
        }
    }

    private JobStore Store => new(folder.File("jobs/jobs.db"));

    private WorkKey Key(string name) => new(folder.File("slide.ome.tif"), RepositoryFiles.Path("samples/model"),
        folder.File($"{name}.ome.tif"));

    private string[] Tiles(string name) => [.. Directory.EnumerateFiles(folder.File($".{name}.ome.tif.tiles"), "*.png").Order()];

    private sealed class Started : IAsyncDisposable
    {
        public StainingJobs Jobs { get; private init; } = null!;

        public StainingQueue Queue { get; private init; } = null!;

        public static async Task<Started> StartAsync(JobStore store)
        {
            var jobs = new StainingJobs(store, NullLogger<StainingJobs>.Instance);
            var queue = new StainingQueue(jobs, 64, NullLogger<StainingQueue>.Instance);
            await queue.StartAsync(CancellationToken.None);
            return new() { Jobs = jobs, Queue = queue };
        }

        public async Task<StainingJob> UntilAsync(string id, Func<StainingJob, bool> condition)
        {
            for (int i = 0; i < 1200; i++)
            {
                StainingJob job = Jobs.All.Single(job => job.Id == id);
                if (condition(job)) return job;
                Assert.False(job.State == JobState.Failed, job.Error);
                await Task.Delay(100);
            }
            throw new TimeoutException("the job does not go on");
        }

        public async ValueTask DisposeAsync()
        {
            await Queue.StopAsync(CancellationToken.None);
            Queue.Dispose();
        }
    }
}
