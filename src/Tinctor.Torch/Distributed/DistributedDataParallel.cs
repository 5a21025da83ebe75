using System.Runtime.InteropServices;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;

namespace Tinctor.Torch.Distributed;

/// <summary>
/// Sums gradients over the ranks before the optimisers use them. Gradients are collected in buckets, in the reverse order of the
/// parameters; a bucket is reduced as soon as its gradients are complete, while the backward pass computes the next ones. Without
/// <see cref="FinalBackward"/> gradients only accumulate, and the buckets are reduced at the step of the optimiser.
/// </summary>
internal sealed class DistributedDataParallel : IDisposable
{
    private const long BucketBytes = 25 << 20, FirstBucketBytes = 1 << 20;
    private static bool isFinal;
    private readonly ProcessGroup ranks;
    private readonly List<BucketSequence> sequences = [];
    private readonly List<Tensor[]> buffers;

    /// <summary>Copies the networks of rank 0 to all ranks, and follows the gradients of optimisers.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="networks">All networks.</param>
    /// <param name="optimizers">All optimisers; a parameter may belong to several.</param>
    /// <param name="bucketBytes">Size of a bucket in bytes; a larger parameter has a bucket of its own.</param>
    public DistributedDataParallel(ProcessGroup ranks, IReadOnlyCollection<Module> networks, IReadOnlyCollection<Optimizer> optimizers,
        long bucketBytes = BucketBytes)
    {
        this.ranks = ranks;
        using Guard quiet = torch.no_grad();
        foreach (Tensor parameter in networks.SelectMany(network => network.parameters()).Distinct()) ranks.Broadcast(parameter);
        buffers = [.. networks.SelectMany(network => network.buffers()).Distinct().GroupBy(buffer => (buffer.dtype, buffer.device))
            .Select(group => group.ToArray())];
        BroadcastBuffers();
        var known = new HashSet<Tensor>();
        foreach (Optimizer optimizer in optimizers)
        {
            Tensor[] own = [.. optimizer.param_groups.SelectMany(group => group.parameters).Where(known.Add)];
            if (own.Length > 0) sequences.Add(new BucketSequence(ranks, own, Math.Min(FirstBucketBytes, bucketBytes), bucketBytes));
        }
        foreach (Optimizer optimizer in optimizers)
        {
            var parameters = optimizer.param_groups.SelectMany(group => group.parameters).ToHashSet();
            BucketSequence[] used = [.. sequences.Where(sequence => sequence.Parameters.Any(parameters.Contains))];
            optimizer.GradientsNeeded = () => Array.ForEach(used, sequence => sequence.Finish());
            optimizer.GradientsCleared = () => Array.ForEach(used, sequence => sequence.Reset());
        }
    }

    /// <summary>
    /// Declares that the backward passes until disposal complete the gradients of all parameters that they reach, so that their reduction
    /// can begin.
    /// </summary>
    public static Guard FinalBackward()
    {
        bool outer = isFinal;
        isFinal = true;
        return new Guard(() => isFinal = outer);
    }

    /// <summary>Copies the buffers of rank 0, such as running statistics, to all ranks.</summary>
    public void BroadcastBuffers()
    {
        using Guard quiet = torch.no_grad();
        foreach (Tensor[] group in buffers)
        {
            using DisposeScope temporaries = torch.NewDisposeScope();
            Tensor flat = torch.cat([.. group.Select(buffer => buffer.reshape([-1]))]);
            ranks.Broadcast(flat);
            long start = 0;
            foreach (Tensor buffer in group)
            {
                buffer.copy_(flat.narrow(0, start, buffer.numel()).view(buffer.shape));
                start += buffer.numel();
            }
        }
    }

    /// <summary>Removes the hooks; the optimisers then use the gradients of this process.</summary>
    public void Dispose()
    {
        foreach (BucketSequence sequence in sequences) sequence.Dispose();
        sequences.Clear();
    }

    /// <summary>Buckets that are reduced in a fixed order, which all ranks share.</summary>
    private sealed unsafe class BucketSequence : IDisposable
    {
        private readonly ProcessGroup ranks;
        private readonly List<Bucket> buckets = [];
        private readonly List<(nint Hook, GCHandle State)> hooks = [];
        private int next;
        private bool finished;
        private Exception? problem;

        public BucketSequence(ProcessGroup ranks, Tensor[] parameters, long firstBytes, long bytes)
        {
            (this.ranks, Parameters) = (ranks, parameters);
            var waiting = new List<Tensor>();
            long size = 0;
            foreach (Tensor parameter in parameters.Reverse())
            {
                bool other = waiting.Count > 0 && (waiting[0].dtype, waiting[0].device) != (parameter.dtype, parameter.device);
                if (waiting.Count > 0 && (other || size + Bytes(parameter) > (buckets.Count == 0 ? firstBytes : bytes))) Close();
                waiting.Add(parameter);
                size += Bytes(parameter);
            }
            Close();
            foreach (Bucket bucket in buckets)
                for (int i = 0; i < bucket.Parameters.Length; i++) Follow(bucket, i);
            Reset();

            void Close()
            {
                buckets.Add(new Bucket([.. waiting]));
                waiting.Clear();
                size = 0;
            }
        }

        public Tensor[] Parameters { get; }

        /// <summary>Prepares for new gradients; reductions that nobody needed are waited for.</summary>
        public void Reset()
        {
            foreach (Bucket bucket in buckets)
            {
                if (bucket.TakeOperation() is var operation and not 0) ranks.Wait(operation);
                bucket.Reset();
            }
            (next, finished, problem) = (0, false, null);
        }

        /// <summary>Reduces all buckets that are not yet, and replaces the gradients by their sums.</summary>
        public void Finish()
        {
            if (problem is not null) throw new InvalidOperationException("the reduction of gradients failed", problem);
            if (finished) return;
            using Guard quiet = torch.no_grad();
            while (next < buckets.Count) Launch();
            foreach (Bucket bucket in buckets)
            {
                ranks.Wait(bucket.TakeOperation());
                bucket.WriteGradients();
            }
            finished = true;
        }

        public void Dispose()
        {
            foreach ((nint hook, GCHandle state) in hooks)
            {
                NativeMethods.tt_gradient_hook_free(hook);
                state.Free();
            }
            hooks.Clear();
            foreach (Bucket bucket in buckets) bucket.Dispose();
        }

        private static long Bytes(Tensor parameter) => parameter.numel() * parameter.element_size();

        private void Follow(Bucket bucket, int index)
        {
            Tensor parameter = bucket.Parameters[index];
            var state = GCHandle.Alloc((Action)(() => OnGradient(bucket, index)));
            // Networks that are frozen now may be trained later.
            bool trained = parameter.requires_grad;
            parameter.requires_grad_(true);
            hooks.Add((NativeMethods.Check(NativeMethods.tt_gradient_hook(parameter.Handle, &Ready, GCHandle.ToIntPtr(state))), state));
            parameter.requires_grad_(trained);
        }

        private void OnGradient(Bucket bucket, int index)
        {
            if (!isFinal || problem is not null) return;
            try
            {
                if (bucket.IsLaunched) throw new InvalidOperationException("a gradient changed after it was reduced");
                bucket.Complete(index);
                using Guard quiet = torch.no_grad();
                while (next < buckets.Count && buckets[next].IsComplete) Launch();
            }
            catch (Exception e)
            {
                // Exceptions must not pass through libtorch; the step of the optimiser throws it.
                problem = e;
            }
        }

        private void Launch()
        {
            Bucket bucket = buckets[next++];
            bucket.ReadGradients();
            bucket.Operation = ranks.StartGradients(bucket.Flat);
        }

        [UnmanagedCallersOnly]
        private static void Ready(nint state) => ((Action)GCHandle.FromIntPtr(state).Target!)();
    }

    /// <summary>
    /// Gradients of some parameters in one tensor, followed by one number for each parameter: 1 if it has a gradient on this rank.
    /// </summary>
    private sealed class Bucket : IDisposable
    {
        private readonly Tensor[] views;
        private readonly Tensor flags;
        private readonly bool[] complete;
        private int missing;

        public Bucket(Tensor[] parameters)
        {
            using DisposeScope temporaries = torch.NewDisposeScope();
            Parameters = parameters;
            complete = new bool[parameters.Length];
            long size = parameters.Sum(parameter => parameter.numel()), start = 0;
            Flat = torch.zeros([size + parameters.Length], dtype: parameters[0].dtype, device: parameters[0].device)
                .DetachFromDisposeScope();
            views = new Tensor[parameters.Length];
            for (int i = 0; i < parameters.Length; i++)
            {
                views[i] = Flat.narrow(0, start, parameters[i].numel()).view(parameters[i].shape).DetachFromDisposeScope();
                start += parameters[i].numel();
            }
            flags = Flat.narrow(0, size, parameters.Length).DetachFromDisposeScope();
        }

        public Tensor[] Parameters { get; }

        public Tensor Flat { get; }

        public nint Operation { get; set; }

        public bool IsLaunched { get; private set; }

        public bool IsComplete => missing == 0;

        public void Reset()
        {
            for (int i = 0; i < complete.Length; i++) complete[i] = !Parameters[i].requires_grad;
            missing = complete.Count(each => !each);
            IsLaunched = false;
        }

        public void Complete(int index)
        {
            if (complete[index]) return;
            complete[index] = true;
            missing--;
        }

        public nint TakeOperation()
        {
            nint operation = Operation;
            Operation = 0;
            return operation;
        }

        public void ReadGradients()
        {
            using DisposeScope temporaries = torch.NewDisposeScope();
            IsLaunched = true;
            flags.fill_(1);
            for (int i = 0; i < views.Length; i++)
            {
                if (Parameters[i].grad is { } gradient)
                {
                    views[i].copy_(gradient);
                    continue;
                }
                views[i].zero_();
                flags[i].zero_();
            }
        }

        // A parameter that no rank has used keeps no gradient, so that optimisers leave it as it is.
        public void WriteGradients()
        {
            using DisposeScope temporaries = torch.NewDisposeScope();
            float[]? used = null;
            for (int i = 0; i < views.Length; i++)
            {
                if (Parameters[i].grad is { } gradient) gradient.copy_(views[i]);
                else if ((used ??= flags.to(ScalarType.Float32).cpu().ToArray<float>())[i] > 0) Parameters[i].grad = views[i].clone();
            }
        }

        public void Dispose()
        {
            foreach (Tensor view in views) view.Dispose();
            flags.Dispose();
            Flat.Dispose();
        }
    }
}
