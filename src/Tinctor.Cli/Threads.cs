using System.CommandLine;
using Tinctor.Torch;

namespace Tinctor.Cli;

/// <summary>The --threads option.</summary>
internal static class Threads
{
    /// <summary>Creates --threads.</summary>
    public static Option<int> Option() =>
        new("--threads") { Description = "Number of threads [default: all cores]", HelpName = "N" };

    /// <summary>Gets the number of threads: the option, else OMP_NUM_THREADS, else all cores.</summary>
    public static int Count(int option)
    {
        if (option <= 0 && int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), out int wanted)) option = wanted;
        return option > 0 ? option : Environment.ProcessorCount;
    }

    /// <summary>
    /// Sets the number of threads for the calling thread and those that start later: the option, else OMP_NUM_THREADS, else all cores
    /// (the default of libtorch can be one).
    /// </summary>
    public static void Use(int option) => torch.set_num_threads(Count(option));
}
