using System.Globalization;
using System.Text.RegularExpressions;

namespace Tinctor.Core;

/// <summary>
/// Place of this process in a job of several processes (ranks), as a launcher describes it in environment variables: torchrun
/// (RANK, WORLD_SIZE, LOCAL_RANK), Open MPI (OMPI_COMM_WORLD_RANK), MPICH and Intel MPI (PMI_RANK) or Slurm's srun (SLURM_PROCID).
/// MASTER_ADDR and MASTER_PORT, if they are set, apply to each of them.
/// </summary>
/// <param name="Launcher">Name of the launcher.</param>
/// <param name="Rank">Number of this process, from 0.</param>
/// <param name="WorldSize">Number of processes, at least 2.</param>
/// <param name="LocalRank">Number of this process on its computer, from 0.</param>
/// <param name="LocalWorldSize">Number of processes on this computer; null if unknown.</param>
/// <param name="MasterAddress">Address of the computer of rank 0.</param>
/// <param name="MasterPort">TCP port of rank 0 at which the ranks meet.</param>
internal sealed partial record LaunchedRank(string Launcher, int Rank, int WorldSize, int LocalRank, int? LocalWorldSize,
    string MasterAddress, int MasterPort)
{
    // Parts of a list of hosts: a part of a name, and numbers such as [01-03,7].
    private const string Plain = @"[^\[\],\s]", Range = @"\[\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*\]";
    private const int DefaultPort = 29500, FirstPort = 20000, Ports = 10000;

    /// <summary>Reads the environment of this process; null if it is the only one of its job.</summary>
    /// <exception cref="TinctorException">Variables are contradictory, or the address of rank 0 is missing.</exception>
    public static LaunchedRank? Detect() => Detect(Environment.GetEnvironmentVariable);

    /// <summary>Reads environment variables; null if the process is the only one of its job.</summary>
    internal static LaunchedRank? Detect(Func<string, string?> variable)
    {
        var read = new Variables(variable);
        LaunchedRank? rank = Torchrun(read) ?? OpenMpi(read) ?? Mpich(read) ?? Slurm(read);
        if (rank is null || rank.WorldSize == 1) return null;
        return rank with { MasterAddress = AddressFor(rank, read), MasterPort = PortFor(read) };
    }

    /// <summary>Gets the first host of a list in Slurm's form, as node01 of "node[01-03,7],login".</summary>
    public static string FirstHost(string hosts) => Hosts(hosts).First();

    /// <summary>Expands a list of hosts in Slurm's form, as "a,b[2-3]" to a, b2 and b3; zeros in front of numbers are kept.</summary>
    /// <exception cref="TinctorException">The list is malformed.</exception>
    public static IEnumerable<string> Hosts(string hosts)
    {
        if (!HostList().IsMatch(hosts))
            throw new TinctorException(null, $"the list of hosts \"{hosts}\" is malformed, expected one like node[01-03,7]",
                "Set MASTER_ADDR to the host of rank 0");
        return HostItem().Matches(hosts).SelectMany(item => Expand(item.Value));
    }

    private static LaunchedRank? Torchrun(Variables read) => read.Number("RANK") is not int rank ? null
        : Checked("torchrun", rank, read.Number("WORLD_SIZE"), "RANK", "WORLD_SIZE",
            read.Number("LOCAL_RANK"), read.Number("LOCAL_WORLD_SIZE"));

    private static LaunchedRank? OpenMpi(Variables read) => read.Number("OMPI_COMM_WORLD_RANK") is not int rank ? null
        : Checked("Open MPI", rank, read.Number("OMPI_COMM_WORLD_SIZE"), "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
            read.Number("OMPI_COMM_WORLD_LOCAL_RANK"), read.Number("OMPI_COMM_WORLD_LOCAL_SIZE"));

    private static LaunchedRank? Mpich(Variables read) => read.Number("PMI_RANK") is not int rank ? null
        : Checked("MPICH", rank, read.Number("PMI_SIZE"), "PMI_RANK", "PMI_SIZE",
            read.Number("MPI_LOCALRANKID"), read.Number("MPI_LOCALNRANKS"));

    // The script of sbatch has SLURM_PROCID too, but only processes of srun belong to a step.
    private static LaunchedRank? Slurm(Variables read)
    {
        if (read.Number("SLURM_PROCID") is not int rank || (read.Text("SLURM_JOB_ID") is not null && read.Text("SLURM_STEP_ID") is null))
            return null;
        int? local = read.Text("SLURM_STEP_TASKS_PER_NODE") is { } tasks && int.TryParse(tasks, CultureInfo.InvariantCulture, out int each)
            ? each : null;
        return Checked("Slurm", rank, read.Number("SLURM_STEP_NUM_TASKS") ?? read.Number("SLURM_NTASKS"), "SLURM_PROCID", "SLURM_NTASKS",
            read.Number("SLURM_LOCALID"), local);
    }

    private static LaunchedRank Checked(string launcher, int rank, int? size, string rankName, string sizeName, int? local, int? localSize)
    {
        if (size is not int count)
            throw new TinctorException(null, $"{rankName} is {rank}, but {sizeName} is not set",
                "Set both, or neither for a single process");
        if (rank < 0 || rank >= count)
            throw new TinctorException(null, $"{rankName} is {rank}, but {sizeName} is {count}",
                $"Ranks are numbered from 0 to {count - 1}");
        return new(launcher, rank, count, local ?? rank, localSize, "", 0);
    }

    private static string AddressFor(LaunchedRank rank, Variables read)
    {
        if (read.Text("MASTER_ADDR") is { } address) return address;
        if ((read.Text("SLURM_STEP_NODELIST") ?? read.Text("SLURM_JOB_NODELIST") ?? read.Text("SLURM_NODELIST")) is { } hosts)
            return FirstHost(hosts);
        if (rank.LocalWorldSize == rank.WorldSize) return "127.0.0.1";
        throw new TinctorException(null, $"this is rank {rank.Rank} of {rank.WorldSize} ({rank.Launcher}), but the address of rank 0 is "
            + "unknown", "Set MASTER_ADDR to the host of rank 0, and MASTER_PORT to a free port there");
    }

    // Jobs on one computer must not share a port: it depends on a name that only the ranks of a job have in common.
    private static int PortFor(Variables read)
    {
        int? port = read.Number("MASTER_PORT");
        // torchrun itself listens on that port then, for processes of its own version of PyTorch.
        bool isTaken = read.Text("TORCHELASTIC_USE_AGENT_STORE") == "True";
        if (port is not null && !isTaken) return port.Value;
        string? job = isTaken ? $"{port}.{read.Text("TORCHELASTIC_RUN_ID")}.{read.Text("TORCHELASTIC_RESTART_COUNT")}"
            : read.Text("SLURM_JOB_ID") is { } id ? $"{id}.{read.Text("SLURM_STEP_ID")}"
            : read.Text("PMIX_NAMESPACE") ?? read.Text("OMPI_MCA_ess_base_jobid");
        if (job is null) return DefaultPort;
        uint hash = 2166136261;
        foreach (char letter in job) hash = unchecked((hash ^ letter) * 16777619);
        return FirstPort + (int)(hash % Ports);
    }

    private static IEnumerable<string> Expand(string item)
    {
        int bracket = item.IndexOf('[');
        if (bracket < 0) return [item];
        int end = item.IndexOf(']');
        (string prefix, string rest) = (item[..bracket], item[(end + 1)..]);
        return item[(bracket + 1)..end].Split(',').SelectMany(Numbers)
            .SelectMany(number => Expand(rest).Select(tail => prefix + number + tail));
    }

    private static IEnumerable<string> Numbers(string range)
    {
        string[] ends = range.Split('-');
        long first = long.Parse(ends[0], CultureInfo.InvariantCulture), last = long.Parse(ends[^1], CultureInfo.InvariantCulture);
        for (long number = first; number <= last; number++)
            yield return number.ToString(CultureInfo.InvariantCulture).PadLeft(ends[0].Length, '0');
    }

    [GeneratedRegex($"^{Plain}*({Range}{Plain}*)*(,{Plain}+({Range}{Plain}*)*)*$")]
    private static partial Regex HostList();

    [GeneratedRegex(@"(\[[^\]]*\]|[^\[\],])+")]
    private static partial Regex HostItem();

    private readonly struct Variables(Func<string, string?> variable)
    {
        public string? Text(string name) => variable(name) is { Length: > 0 } value ? value : null;

        public int? Number(string name)
        {
            if (Text(name) is not { } text) return null;
            return int.TryParse(text, CultureInfo.InvariantCulture, out int value) ? value
                : throw new TinctorException(null, $"the environment variable {name} is \"{text}\", expected a whole number", "Correct it");
        }
    }
}
