using System.Text;
using Tinctor.Torch.Ranks;

namespace Tinctor.Torch;

/// <summary>
/// The ranks of a distributed training: processes that compute parts of the same batch. Collective operations are those of torch's c10d,
/// by Gloo for tensors on the CPU and NCCL for tensors on CUDA devices; all ranks must call them in the same order.
/// </summary>
internal sealed unsafe class ProcessGroup : IDisposable
{
    private const int Gloo = 1, Nccl = 2;
    private static readonly TimeSpan JoinTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Verdict = TimeSpan.FromSeconds(9);
    private readonly LaunchedRank launched;
    private readonly TimeSpan timeout;
    private readonly string address;
    private readonly List<nint> groups = [];
    private readonly nint store, control;
    private nint values, gradients;
    private long operations;
    private RankWatch? watch;

    private ProcessGroup(LaunchedRank launched, TimeSpan timeout)
    {
        (this.launched, this.timeout) = (launched, timeout);
        address = LocalAddress.Towards(launched.MasterAddress, launched.MasterPort).ToString();
        store = Connect(launched);
        values = control = Create("control", Gloo);
    }

    /// <summary>Ranks of the distributed training of this process; null for a training by one process.</summary>
    public static ProcessGroup? Current { get; private set; }

    /// <summary>Number of processes of the training of this process, 1 without ranks.</summary>
    public static int Processes => Current?.WorldSize ?? 1;

    /// <summary>Whether this process is rank 0, or trains alone.</summary>
    public static bool IsFirst => Current is null or { Rank: 0 };

    /// <summary>Number of this process, from 0.</summary>
    public int Rank => launched.Rank;

    /// <summary>Number of processes.</summary>
    public int WorldSize => launched.WorldSize;

    /// <summary>Number of this process on its computer, from 0.</summary>
    public int LocalRank => launched.LocalRank;

    /// <summary>Host and process of each rank, as in "node07, process 4711".</summary>
    public string[] Places { get; private set; } = [];

    /// <summary>Whether this libtorch supports process groups.</summary>
    public static bool IsAvailable => (NativeMethods.tt_dist_backends() & Gloo) != 0;

    /// <summary>
    /// Joins the ranks of a job; returns when all have joined. From then on, the end of a rank ends the others.
    /// </summary>
    /// <param name="launched">Place of this process in the job.</param>
    /// <param name="timeout">Maximum time that ranks wait for each other.</param>
    /// <param name="onFailure">Receives the failure of another rank, on another thread; the process should end.</param>
    /// <exception cref="TinctorException">A rank did not join in time, or libtorch lacks Gloo.</exception>
    public static ProcessGroup Join(LaunchedRank launched, TimeSpan timeout, Action<RankFailure> onFailure)
    {
        if (!IsAvailable)
            throw new TinctorException(null, $"libtorch {torch.version.libtorch} was built without Gloo, or its headers were missing",
                "Install libgloo-dev and build the native library again, or train with one process");
        var group = new ProcessGroup(launched, timeout);
        try
        {
            group.Places = group.Gather($"{Environment.MachineName}, process {Environment.ProcessId}");
            group.watch = RankWatch.Start(launched.Rank, group.Places, launched.MasterAddress,
                text => NativeMethods.Check(NativeMethods.tt_store_set(group.store, "watch", text)),
                () => group.Read("watch"), () => Interlocked.Read(ref group.operations), onFailure);
            group.Barrier();
            return Current = group;
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }

    /// <summary>Chooses the backend for the tensors of a device.</summary>
    public void UseDevice(Device device)
    {
        int backend = device.type == DeviceType.CUDA && (NativeMethods.tt_dist_backends() & Nccl) != 0 ? Nccl : Gloo;
        if (backend == Nccl) values = Create("values", backend);
        // Gradients are reduced during the backward pass, beside the statistics of batch norms.
        gradients = Create("gradients", backend);
    }

    /// <summary>Replaces a tensor by its sum over the ranks.</summary>
    public void AllReduce(Tensor tensor) => Wait(Start(tensor, values));

    /// <summary>Starts to replace a tensor of gradients by its sum over the ranks; <see cref="Wait"/> must follow.</summary>
    /// <returns>Handle of the operation.</returns>
    public nint StartGradients(Tensor tensor) => Start(tensor, gradients);

    /// <summary>Waits for the end of an operation.</summary>
    /// <exception cref="RankFailure">Another rank has ended, or did not take part in time.</exception>
    public void Wait(nint operation) => Complete(() => NativeMethods.Check(NativeMethods.tt_work_wait(operation)));

    /// <summary>Replaces a tensor by that of rank 0.</summary>
    public void Broadcast(Tensor tensor)
    {
        Interlocked.Increment(ref operations);
        Wait(NativeMethods.Check(NativeMethods.tt_broadcast(tensor.device.type == DeviceType.CPU ? control : values, tensor.Handle, 0)));
        GC.KeepAlive(tensor);
    }

    /// <summary>Computes the sum of a tensor over the ranks; gradients of the sum are summed over the ranks too.</summary>
    public Tensor Sum(Tensor tensor)
    {
        Interlocked.Increment(ref operations);
        nint sum = 0;
        Complete(() => sum = NativeMethods.Check(NativeMethods.tt_sum_over_ranks(values, tensor.Handle)));
        GC.KeepAlive(tensor);
        return new Tensor(sum);
    }

    /// <summary>Computes the sum of a number over the ranks.</summary>
    public double Sum(double value)
    {
        using Tensor number = torch.tensor<double>([value]);
        Wait(Start(number, control));
        return number.item();
    }

    /// <summary>Joins the rows of all ranks in their order, each with as many; gradients of the result are summed over the ranks.</summary>
    public Tensor GatherRows(Tensor rows)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        long count = rows.size(0);
        Tensor Zeros(long ranks) => torch.zeros([ranks * count, .. rows.shape[1..]], dtype: rows.dtype, device: rows.device);
        return Sum(torch.cat([Zeros(Rank), rows, Zeros(WorldSize - Rank - 1)])).MoveToOuterDisposeScope();
    }

    /// <summary>Gets the rows of this rank from rows for all ranks.</summary>
    public Tensor OwnRows(Tensor rows) => rows.narrow(0, rows.size(0) / WorldSize * Rank, rows.size(0) / WorldSize);

    /// <summary>Exchanges a text; returns that of each rank.</summary>
    public string[] Gather(string text)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        byte[] own = Encoding.UTF8.GetBytes(text);
        Tensor lengths = torch.zeros([WorldSize], dtype: ScalarType.Int64);
        lengths.data<long>()[Rank] = own.Length;
        Wait(Start(lengths, control));
        long[] length = lengths.ToArray<long>();
        Tensor bytes = torch.zeros([Math.Max(1, length.Sum())], dtype: ScalarType.Byte);
        own.CopyTo(bytes.data<byte>()[(int)length[..Rank].Sum()..]);
        Wait(Start(bytes, control));
        byte[] all = bytes.ToArray<byte>();
        return [.. length.Select((count, i) => Encoding.UTF8.GetString(all, (int)length[..i].Sum(), (int)count))];
    }

    /// <summary>Gets the text of rank 0.</summary>
    public string FromFirst(string text) => Gather(Rank == 0 ? text : "")[0];

    /// <summary>Waits until all ranks have come here.</summary>
    public void Barrier()
    {
        using Tensor one = torch.ones([1]);
        Wait(Start(one, control));
    }

    /// <summary>Tells the other ranks that this one ends by an error, which ends them.</summary>
    public void Fail(string reason) => watch?.ReportError(reason);

    /// <summary>Leaves the job; the other ranks continue.</summary>
    public void Dispose()
    {
        if (Current == this) Current = null;
        watch?.Dispose();
        foreach (nint group in groups) NativeMethods.tt_group_free(group);
        groups.Clear();
        NativeMethods.tt_store_free(store);
    }

    private nint Start(Tensor tensor, nint group)
    {
        Interlocked.Increment(ref operations);
        nint operation = 0;
        Complete(() => operation = NativeMethods.Check(NativeMethods.tt_all_reduce(group, tensor.Handle, 0)));
        GC.KeepAlive(tensor);
        return operation;
    }

    // The message of libtorch names an address, that of the watch the rank.
    private void Complete(Action operation)
    {
        try
        {
            operation();
        }
        catch (TorchException e)
        {
            if (e.Message.Contains("imed out", StringComparison.Ordinal)) watch?.ReportStuck();
            throw (Exception?)watch?.WaitForFailure(Verdict)
                ?? new TinctorException(null, $"the ranks cannot communicate ({e.Message.Split('\n')[0]})", null, e);
        }
    }

    private static nint Connect(LaunchedRank launched)
    {
        nint store = NativeMethods.tt_store_new(launched.MasterAddress, launched.MasterPort, launched.Rank == 0 ? 1 : 0,
            launched.WorldSize, (long)JoinTime.TotalMilliseconds);
        if (store != 0) return store;
        string where = $"{launched.MasterAddress}, port {launched.MasterPort}";
        throw launched.Rank == 0
            ? new TinctorException(null, $"rank 0 cannot listen on {where} ({NativeMethods.LastError})", "Set MASTER_PORT to a free port")
            : new TinctorException(null, $"rank {launched.Rank} cannot reach rank 0 on {where} ({NativeMethods.LastError})",
                "Check that rank 0 runs, and that MASTER_ADDR and MASTER_PORT are right");
    }

    private nint Create(string name, int backend)
    {
        nint group = NativeMethods.tt_group_new(store, name, backend, Rank, WorldSize, address, (long)timeout.TotalMilliseconds);
        if (group == 0)
        {
            throw new TinctorException(null, $"rank {Rank} of {WorldSize} cannot connect to the others from {address} "
                + $"({NativeMethods.LastError})", "Check that all ranks run, and name the network interface by GLOO_SOCKET_IFNAME");
        }
        groups.Add(group);
        return group;
    }

    private string Read(string key)
    {
        byte* value = stackalloc byte[256];
        int length = NativeMethods.Check(NativeMethods.tt_store_get(store, key, value, 256));
        return Encoding.UTF8.GetString(value, length);
    }
}
