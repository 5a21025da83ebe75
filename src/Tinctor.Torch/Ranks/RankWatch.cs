using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tinctor.Torch.Ranks;

/// <summary>
/// Watches the ranks of a job, so that the end of one ends the others. Each rank has a connection to rank 0, over which both send a line
/// every second. A closed connection, or silence for <see cref="Silence"/>, means that the rank is lost; rank 0 then names it to all
/// others. Threads of its own do this, so it works while the training waits or computes.
/// </summary>
/// <remarks>
/// Lines of a rank: "beat N" (number of its collective operations), "stuck" (it waited too long), "failed REASON", "bye". Lines of rank 0:
/// "beat", "down RANK|PLACE|REASON", "bye".
/// </remarks>
internal sealed class RankWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan JoinTime = TimeSpan.FromSeconds(30);
    private readonly int rank;
    private readonly string[] places;
    private readonly Func<long> operations;
    private readonly Action<RankFailure> onFailure;
    private readonly TcpListener? listener;
    private readonly Peer?[] peers;
    private readonly Thread heart;
    private readonly ManualResetEventSlim ended = new();
    private readonly TaskCompletionSource<RankFailure> failure = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int failed;

    private RankWatch(int rank, string[] places, TcpListener? listener, Func<long> operations, Action<RankFailure> onFailure)
    {
        (this.rank, this.places, this.listener, this.operations, this.onFailure) = (rank, places, listener, operations, onFailure);
        peers = new Peer?[places.Length];
        heart = new Thread(Beat) { IsBackground = true, Name = "ranks: heartbeat" };
    }

    /// <summary>Time without a line after which a rank counts as lost.</summary>
    public static TimeSpan Silence { get; } = TimeSpan.FromSeconds(8);

    /// <summary>Starts to watch, on all ranks.</summary>
    /// <param name="rank">Number of this rank.</param>
    /// <param name="places">Host and process of each rank, for messages.</param>
    /// <param name="master">Address of rank 0.</param>
    /// <param name="announce">On rank 0: tells the other ranks a text.</param>
    /// <param name="announced">On other ranks: gets the text of rank 0.</param>
    /// <param name="operations">Number of collective operations that this rank has started.</param>
    /// <param name="onFailure">Receives the first failure, on another thread; the process should end.</param>
    public static RankWatch Start(int rank, string[] places, string master, Action<string> announce, Func<string> announced,
        Func<long> operations, Action<RankFailure> onFailure)
    {
        if (rank > 0) return Connect(rank, places, master, announced(), operations, onFailure);
        var listener = new TcpListener(IPAddress.IPv6Any, 0);
        listener.Server.DualMode = true;
        listener.Start(places.Length);
        // Only processes that can read the store of the job are ranks.
        string token = Guid.NewGuid().ToString("N");
        announce(string.Create(CultureInfo.InvariantCulture, $"{((IPEndPoint)listener.LocalEndpoint).Port} {token}"));
        var watch = new RankWatch(0, places, listener, operations, onFailure);
        watch.Accept(token);
        watch.heart.Start();
        return watch;
    }

    /// <summary>Waits for the failure of a rank; null if none is found in time.</summary>
    public RankFailure? WaitForFailure(TimeSpan time) => failure.Task.Wait(time) ? failure.Task.Result : null;

    /// <summary>Finds the rank that has started the fewest operations, which makes the others wait, and ends the job.</summary>
    public void ReportStuck()
    {
        if (rank > 0) Send(0, "stuck");
        else FailSlowest();
    }

    /// <summary>Tells the other ranks that this one ends by an error.</summary>
    public void ReportError(string reason)
    {
        string line = reason.ReplaceLineEndings(" ");
        if (Interlocked.Exchange(ref failed, 1) != 0) return;
        if (rank > 0) Send(0, $"failed {line}");
        else Broadcast($"down 0|{places[0]}|{line}");
        ended.Wait(Interval);
    }

    /// <summary>Ends the watch without a failure.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref failed, 1);
        Broadcast("bye");
        ended.Set();
        listener?.Stop();
        foreach (Peer? peer in peers) peer?.Close();
    }

    private static RankWatch Connect(int rank, string[] places, string master, string announced, Func<long> operations,
        Action<RankFailure> onFailure)
    {
        string[] parts = announced.Split(' ');
        var client = new TcpClient(AddressFamily.InterNetworkV6) { Client = { DualMode = true } };
        client.Connect(master, int.Parse(parts[0], CultureInfo.InvariantCulture));
        var watch = new RankWatch(rank, places, null, operations, onFailure);
        watch.peers[0] = new Peer(client);
        watch.Send(0, $"{parts[1]} {rank}");
        watch.Listen(0);
        watch.heart.Start();
        return watch;
    }

    // All ranks connect before the training begins.
    private void Accept(string token)
    {
        DateTime end = DateTime.UtcNow + JoinTime;
        while (peers.Skip(1).Any(peer => peer is null))
        {
            if (!listener!.Server.Poll(Interval, SelectMode.SelectRead))
            {
                if (DateTime.UtcNow < end) continue;
                int missing = Array.FindIndex(peers, 1, peer => peer is null);
                throw new RankFailure(missing, places[missing], "it did not connect to rank 0");
            }
            var peer = new Peer(listener.AcceptTcpClient());
            if (peer.ReadLine()?.Split(' ') is [var given, var number] && given == token
                && int.TryParse(number, CultureInfo.InvariantCulture, out int joined) && joined > 0 && joined < peers.Length)
                peers[joined] = peer;
            else peer.Close();
        }
        for (int i = 1; i < peers.Length; i++) Listen(i);
    }

    private void Listen(int from) =>
        new Thread(() => Read(from), maxStackSize: 256 << 10) { IsBackground = true, Name = $"ranks: rank {from}" }.Start();

    private void Read(int from)
    {
        Peer peer = peers[from]!;
        string reason = "its connection was closed";
        try
        {
            while (peer.ReadLine() is { } line)
            {
                if (line == "bye") return;
                if (line.StartsWith("beat ", StringComparison.Ordinal))
                    peer.Operations = long.Parse(line[5..], CultureInfo.InvariantCulture);
                else if (line == "stuck") FailSlowest();
                else if (line.StartsWith("failed ", StringComparison.Ordinal)) Fail(new(from, places[from], line[7..]));
                else if (line.StartsWith("down ", StringComparison.Ordinal) && line[5..].Split('|', 3) is [var number, var place, var why])
                    Fail(new(int.Parse(number, CultureInfo.InvariantCulture), place, why));
            }
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
        {
            reason = $"it has not answered for {Silence.TotalSeconds:F0} s";
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The connection was reset, or this rank ends.
        }
        if (!ended.IsSet) Fail(new(from, places[from], reason));
    }

    private void Beat()
    {
        while (!ended.Wait(Interval))
            Broadcast(rank > 0 ? string.Create(CultureInfo.InvariantCulture, $"beat {operations()}") : "beat");
    }

    private void FailSlowest()
    {
        // The numbers of the other ranks are up to a second old.
        Thread.Sleep(2 * Interval);
        int slowest = 0;
        long fewest = operations();
        for (int i = 1; i < peers.Length; i++)
            if (peers[i]!.Operations < fewest) (slowest, fewest) = (i, peers[i]!.Operations);
        Fail(new(slowest, places[slowest], "the others waited for it longer than the time limit"));
    }

    private void Fail(RankFailure problem)
    {
        if (Interlocked.Exchange(ref failed, 1) != 0) return;
        if (rank == 0) Broadcast($"down {problem.Rank}|{problem.Place}|{problem.Reason}");
        failure.TrySetResult(problem);
        // Connections that are closed at once can lose the last line.
        if (rank == 0) ended.Wait(Interval);
        onFailure(problem);
    }

    private void Broadcast(string line)
    {
        for (int i = 0; i < peers.Length; i++) Send(i, line);
    }

    private void Send(int to, string line)
    {
        try
        {
            peers[to]?.Write(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The reader of the connection reports the loss.
        }
    }

    private sealed class Peer
    {
        private const int LongestLine = 4096;
        private readonly TcpClient client;
        private readonly NetworkStream stream;
        private readonly Lock writing = new();
        private readonly StreamReader reader;

        public Peer(TcpClient client)
        {
            this.client = client;
            client.NoDelay = true;
            stream = client.GetStream();
            stream.ReadTimeout = stream.WriteTimeout = (int)Silence.TotalMilliseconds;
            reader = new StreamReader(stream, Encoding.UTF8);
        }

        public long Operations { get; set; }

        public string? ReadLine()
        {
            var line = new StringBuilder();
            for (int letter; (letter = reader.Read()) >= 0 && line.Length < LongestLine;)
            {
                if (letter == '\n') return line.ToString();
                line.Append((char)letter);
            }
            return null;
        }

        public void Write(string line)
        {
            byte[] bytes = Encoding.UTF8.GetBytes((line.Length < LongestLine ? line : line[..(LongestLine - 1)]) + "\n");
            lock (writing) stream.Write(bytes);
        }

        public void Close() => client.Close();
    }
}
