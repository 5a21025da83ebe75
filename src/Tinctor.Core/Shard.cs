using System.Globalization;

namespace Tinctor.Core;

/// <summary>One of several equal parts of a work, each done by a process of its own.</summary>
/// <param name="Number">Number of the part, 1 to <paramref name="Count"/>.</param>
/// <param name="Count">Number of parts.</param>
internal readonly record struct Shard(int Number, int Count)
{
    private const int LargestCount = 1_000_000;
    private const string SlurmTask = "SLURM_ARRAY_TASK_ID", KubernetesIndex = "JOB_COMPLETION_INDEX";

    /// <summary>Parses a part: <c>2/8</c>, or <c>auto</c> and <c>auto/8</c>, which read the number from the environment.</summary>
    /// <remarks>
    /// Slurm numbers the tasks of an array (SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT); Kubernetes numbers the pods of an indexed job from
    /// 0 (JOB_COMPLETION_INDEX) and does not state their number. With a given number of parts, both are counted from 0.
    /// </remarks>
    /// <param name="text">The text.</param>
    /// <param name="option">Property that the text belongs to, named in errors.</param>
    /// <param name="environment">Gets an environment variable; null if it is not set.</param>
    /// <exception cref="OptionException">The text is no part, or the environment does not number this process.</exception>
    public static Shard Parse(string text, string option, Func<string, string?> environment)
    {
        string[] words = text.Split('/');
        if (words is ["auto"]) return FromArray(option, environment);
        if (words is ["auto", var of]) return Numbered(FromEnvironment(option, environment), Number(of));
        return words is [var number, var count] ? Checked(Number(number), Number(count))
            : throw Malformed();

        int Number(string word) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
            : throw Malformed();

        OptionException Malformed() => new(option, $"\"{text}\" is no part of a work", "Write it as 2/8, auto or auto/8");

        Shard Checked(int number, int count) => count is >= 1 and <= LargestCount && number >= 1 && number <= count ? new(number, count)
            : throw new OptionException(option, $"part {number} of {count} does not exist; parts are numbered from 1",
                $"Use 1/{Math.Max(1, count)} to {Math.Max(1, count)}/{Math.Max(1, count)}");

        Shard Numbered((string Variable, int Index) found, int count) => found.Index < count ? Checked(found.Index + 1, count)
            : throw new OptionException(option, $"{found.Variable} is {found.Index}, but {count} parts are numbered from 0 to {count - 1}",
                $"Start the job with indices from 0 to {count - 1}");
    }

    /// <summary>
    /// Distributes items over parts, so that their sums of sizes are nearly equal: the largest item first, each to the part with the
    /// smallest sum (longest processing time first). Equal lists give equal distributions.
    /// </summary>
    /// <param name="sizes">Size of each item, at least 0.</param>
    /// <param name="names">Name of each item, which decides between equal sizes.</param>
    /// <returns>Whether each item belongs to this part.</returns>
    public bool[] Select(IReadOnlyList<long> sizes, IReadOnlyList<string> names)
    {
        var parts = new PriorityQueue<int, (long Sum, int Part)>(Enumerable.Range(0, Count).Select(part => (part, (0L, part))));
        var selected = new bool[sizes.Count];
        foreach (int item in Enumerable.Range(0, sizes.Count).OrderByDescending(item => sizes[item])
            .ThenBy(item => names[item], StringComparer.Ordinal))
        {
            parts.TryDequeue(out int part, out (long Sum, int) load);
            selected[item] = part == Number - 1;
            // An empty item counts too, so that items of unknown size are spread evenly.
            parts.Enqueue(part, (load.Sum + Math.Max(1, sizes[item]), part));
        }
        return selected;
    }

    /// <summary>Cuts a sequence of groups into connected parts with nearly equal numbers of items.</summary>
    /// <param name="counts">Number of items in each group.</param>
    /// <returns>The first group of this part and the first one after it.</returns>
    public (int First, int End) Cut(IReadOnlyList<int> counts)
    {
        long total = counts.Sum(count => (long)count), before = 0;
        int first = 0, end = 0;
        foreach (int count in counts)
        {
            // Number of items, doubled, before the middle of the group.
            long middle = (2 * before) + count;
            long part = total == 0 ? 0 : Math.Min(Count - 1, middle * Count / (2 * total));
            if (part < Number - 1) first++;
            if (part <= Number - 1) end++;
            before += count;
        }
        return (first, end);
    }

    /// <summary>Name of the part in names of files, as in 2-of-8.</summary>
    public string FileName => string.Create(CultureInfo.InvariantCulture, $"{Number}-of-{Count}");

    /// <summary>Formats the part, as in 2/8.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");

    private static Shard FromArray(string option, Func<string, string?> environment)
    {
        (string variable, int id) = FromEnvironment(option, environment);
        if (Variable("SLURM_ARRAY_TASK_COUNT", environment) is not { } count || variable != SlurmTask)
            throw new OptionException(option, $"{variable} numbers this process, but the number of processes is not known",
                "State it, as in auto/8");
        int least = Variable("SLURM_ARRAY_TASK_MIN", environment) ?? 0, step = Variable("SLURM_ARRAY_TASK_STEP", environment) ?? 1;
        int most = Variable("SLURM_ARRAY_TASK_MAX", environment) ?? least + ((count - 1) * step);
        int index = (id - least) / Math.Max(1, step);
        // An array such as 1,3,7 would leave parts to no task.
        return most - least == (long)(count - 1) * step && index >= 0 && index < count ? new(index + 1, count)
            : throw new OptionException(option, $"the array has {count} tasks from {least} to {most}, which are not evenly spaced",
                "Start the whole array again, as finished slides are skipped; or use auto/N with indices from 0 to N - 1");
    }

    private static (string Variable, int Index) FromEnvironment(string option, Func<string, string?> environment) =>
        Variable(SlurmTask, environment) is { } task ? (SlurmTask, task)
        : Variable(KubernetesIndex, environment) is { } index ? (KubernetesIndex, index)
        : throw new OptionException(option, $"neither {SlurmTask} (Slurm arrays) nor {KubernetesIndex} (Kubernetes indexed jobs) is set",
            "State the part, as in 2/8");

    private static int? Variable(string name, Func<string, string?> environment) =>
        int.TryParse(environment(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
