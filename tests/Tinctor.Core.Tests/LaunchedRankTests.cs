namespace Tinctor.Core.Tests;

public class LaunchedRankTests
{
    [Fact]
    public void Detect_torchrun_reads_its_variables()
    {
        LaunchedRank rank = Detect("RANK=3", "WORLD_SIZE=4", "LOCAL_RANK=1", "LOCAL_WORLD_SIZE=2", "MASTER_ADDR=n1", "MASTER_PORT=29511")!;
        Assert.Equal(new LaunchedRank("torchrun", 3, 4, 1, 2, "n1", 29511), rank);
    }

    [Fact]
    public void Detect_torchrun_that_listens_on_the_port_takes_another_one_for_each_start()
    {
        int Port(params string[] more) => Detect([.. more, "RANK=0", "WORLD_SIZE=2", "MASTER_ADDR=n1", "MASTER_PORT=29500",
            "TORCHELASTIC_USE_AGENT_STORE=True", "TORCHELASTIC_RESTART_COUNT=0"])!.MasterPort;
        Assert.Equal(Port("RANK=1"), Port("RANK=0"));
        Assert.InRange(Port(), 20000, 29999);
        Assert.NotEqual(29500, Port());
        Assert.NotEqual(Port(), Port("TORCHELASTIC_RESTART_COUNT=1"));
        Assert.NotEqual(Port(), Port("TORCHELASTIC_RUN_ID=b"));
        Assert.Equal(29500, Port("TORCHELASTIC_USE_AGENT_STORE=False"));
    }

    [Fact]
    public void Detect_slurm_step_takes_first_host_and_a_port_of_the_job()
    {
        string[] job = ["SLURM_NTASKS=4", "SLURM_STEP_ID=0", "SLURM_JOB_NODELIST=gpu[07-08]"];
        LaunchedRank first = Detect([.. job, "SLURM_JOB_ID=77", "SLURM_PROCID=0", "SLURM_LOCALID=0"])!;
        LaunchedRank last = Detect([.. job, "SLURM_JOB_ID=77", "SLURM_PROCID=3", "SLURM_LOCALID=1"])!;
        Assert.Equal(("Slurm", 3, 4, 1, "gpu07"), (last.Launcher, last.Rank, last.WorldSize, last.LocalRank, last.MasterAddress));
        Assert.Equal(first.MasterPort, last.MasterPort);
        Assert.NotEqual(first.MasterPort, Detect([.. job, "SLURM_JOB_ID=78", "SLURM_PROCID=0"])!.MasterPort);
        Assert.InRange(first.MasterPort, 20000, 29999);
    }

    [Fact]
    public void Detect_script_of_sbatch_is_a_single_process() =>
        Assert.Null(Detect("SLURM_JOB_ID=77", "SLURM_PROCID=0", "SLURM_NTASKS=4", "SLURM_JOB_NODELIST=a,b"));

    [Fact]
    public void Detect_open_mpi_on_one_computer_needs_no_address()
    {
        LaunchedRank rank = Detect("OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_LOCAL_RANK=1",
            "OMPI_COMM_WORLD_LOCAL_SIZE=2", "PMIX_NAMESPACE=job1")!;
        Assert.Equal(("Open MPI", 1, 2, 1, "127.0.0.1"), (rank.Launcher, rank.Rank, rank.WorldSize, rank.LocalRank, rank.MasterAddress));
    }

    [Fact]
    public void Detect_mpich_reads_its_variables()
    {
        LaunchedRank rank = Detect(
            "PMI_RANK=2", "PMI_SIZE=3", "MPI_LOCALRANKID=0", "MPI_LOCALNRANKS=1", "MASTER_ADDR=n1", "MASTER_PORT=5000")!;
        Assert.Equal(new LaunchedRank("MPICH", 2, 3, 0, 1, "n1", 5000), rank);
    }

    [Theory]
    // mpirun starts its daemons by srun, whose variables the ranks inherit.
    [InlineData("Open MPI", "OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE=4")]
    [InlineData("torchrun", "RANK=1", "WORLD_SIZE=4")]
    public void Detect_inner_launcher_comes_before_slurm(string launcher, string rank, string size) => Assert.Equal((launcher, 1),
        Detect(rank, size, "SLURM_PROCID=0", "SLURM_NTASKS=2", "SLURM_STEP_ID=1", "SLURM_JOB_NODELIST=a") is { } found
            ? (found.Launcher, found.Rank) : default);

    [Theory]
    [InlineData]
    [InlineData("RANK=0", "WORLD_SIZE=1")]
    [InlineData("SLURM_PROCID=0", "SLURM_NTASKS=1")]
    public void Detect_single_process_is_null(params string[] variables) => Assert.Null(Detect(variables));

    [Theory]
    [InlineData("RANK is 4, but WORLD_SIZE is 4", "RANK=4", "WORLD_SIZE=4")]
    [InlineData("WORLD_SIZE is not set", "RANK=0")]
    [InlineData("RANK is \"x\"", "RANK=x", "WORLD_SIZE=2")]
    [InlineData("the address of rank 0 is unknown", "RANK=0", "WORLD_SIZE=2")]
    public void Detect_contradiction_is_an_error_in_one_line(string part, params string[] variables)
    {
        string message = Assert.Throws<TinctorException>(() => Detect(variables)).Message;
        Assert.Contains(part, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("node[01-03,7]", "node01 node02 node03 node7")]
    [InlineData("a,b[2-3]", "a b2 b3")]
    [InlineData("login", "login")]
    [InlineData("r[1-2]n[08-10]", "r1n08 r1n09 r1n10 r2n08 r2n09 r2n10")]
    [InlineData("cn[1,3]-ib,x.example.org", "cn1-ib cn3-ib x.example.org")]
    public void Hosts_expands_lists_of_slurm(string list, string expected) =>
        Assert.Equal(expected.Split(' '), LaunchedRank.Hosts(list));

    [Theory]
    [InlineData("node[1-")]
    [InlineData("node[]")]
    [InlineData("a b")]
    public void Hosts_malformed_list_is_refused(string list) =>
        Assert.Contains(list, Assert.Throws<TinctorException>(() => LaunchedRank.Hosts(list).ToArray()).Message);

    private static LaunchedRank? Detect(params string[] variables)
    {
        var set = variables.Select(pair => pair.Split('=', 2)).DistinctBy(pair => pair[0]).ToDictionary(pair => pair[0], pair => pair[1]);
        return LaunchedRank.Detect(set.GetValueOrDefault);
    }
}
