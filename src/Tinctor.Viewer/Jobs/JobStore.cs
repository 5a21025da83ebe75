using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Tinctor.Viewer.Jobs;

/// <summary>Jobs in an SQLite file, which survive the end of the server. Safe for use by several threads.</summary>
internal sealed class JobStore
{
    // Results of SQLite: https://sqlite.org/rescode.html
    private const int Permission = 3, ReadOnly = 8, InputOutput = 10, Full = 13, CannotOpen = 14;

    private readonly string path, connection;

    static JobStore() => SqliteLibrary.Load();

    /// <summary>Opens the file, and creates it if needed.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="TinctorException">The file is no database, or cannot be written.</exception>
    public JobStore(string path)
    {
        this.path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        connection = new SqliteConnectionStringBuilder { DataSource = path }.ToString();
        try
        {
            // With a write-ahead log, a killed process leaves the last complete state.
            Execute("PRAGMA journal_mode = WAL");
            Execute("""
                CREATE TABLE IF NOT EXISTS jobs (
                    id TEXT PRIMARY KEY, slide TEXT NOT NULL, model TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,
                    done INTEGER NOT NULL, total INTEGER NOT NULL, error TEXT, created TEXT NOT NULL, updated TEXT NOT NULL)
                """);
            // Files of earlier versions have no stains.
            if (!HasStains()) Execute("ALTER TABLE jobs ADD COLUMN stain TEXT");
        }
        catch (SqliteException e)
        {
            throw Error(e);
        }
    }

    /// <summary>Reads all jobs, the oldest first.</summary>
    public IReadOnlyList<StainingJob> Read()
    {
        using SqliteConnection open = Open();
        using SqliteCommand command = open.CreateCommand();
        command.CommandText =
            "SELECT id, slide, model, target, state, done, total, error, created, updated, stain FROM jobs ORDER BY created, id";
        using SqliteDataReader reader = command.ExecuteReader();
        var jobs = new List<StainingJob>();
        while (reader.Read())
        {
            jobs.Add(new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3))
            {
                State = Enum.Parse<JobState>(reader.GetString(4)),
                Done = reader.GetInt32(5),
                Total = reader.GetInt32(6),
                Error = reader.IsDBNull(7) ? null : reader.GetString(7),
                Created = Time(reader.GetString(8)),
                Updated = Time(reader.GetString(9)),
                Stain = reader.IsDBNull(10) ? null : reader.GetString(10),
            });
        }
        return jobs;
    }

    /// <summary>Writes a job, in place of an earlier state.</summary>
    /// <exception cref="TinctorException">The disk is full, or the file cannot be written.</exception>
    public void Write(StainingJob job)
    {
        try
        {
            Execute("""
                INSERT INTO jobs VALUES ($id, $slide, $model, $target, $state, $done, $total, $error, $created, $updated, $stain)
                ON CONFLICT (id) DO UPDATE SET state = $state, done = $done, total = $total, error = $error, updated = $updated
                """, ("$id", job.Id), ("$slide", job.Slide), ("$model", job.Model), ("$target", job.Target), ("$state", $"{job.State}"),
                ("$done", job.Done), ("$total", job.Total), ("$error", (object?)job.Error ?? DBNull.Value),
                ("$created", Text(job.Created)), ("$updated", Text(job.Updated)), ("$stain", (object?)job.Stain ?? DBNull.Value));
        }
        catch (SqliteException e)
        {
            throw Error(e);
        }
    }

    private TinctorException Error(SqliteException e) => e.SqliteErrorCode switch
    {
        Full => FileErrors.WritingByLibrary(path, "no space left", e),
        Permission or ReadOnly or InputOutput or CannotOpen => FileErrors.WritingByLibrary(path, Reason(e), e),
        _ => new(path, $"cannot be used as the list of jobs ({Reason(e)})", "Move the file away.", e),
    };

    // Of "SQLite Error 10: 'disk I/O error'.", the words between the quotes.
    private static string Reason(SqliteException e) => e.Message.Split('\'', 2)[^1].TrimEnd('.').TrimEnd('\'');

    private bool HasStains()
    {
        using SqliteConnection open = Open();
        using SqliteCommand command = open.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM pragma_table_info('jobs') WHERE name = 'stain'";
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture) > 0;
    }

    private void Execute(string text, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using SqliteConnection open = Open();
        using SqliteCommand command = open.CreateCommand();
        command.CommandText = text;
        foreach ((string name, object value) in values) command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    private SqliteConnection Open()
    {
        var open = new SqliteConnection(connection);
        open.Open();
        return open;
    }

    private static string Text(DateTime time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static DateTime Time(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
