using System.Runtime.InteropServices;

namespace Tinctor.Staining.Operators;

/// <summary>Run of an operator: its tensors, and the threads of the session.</summary>
/// <param name="context">The run in ONNX Runtime.</param>
internal sealed unsafe class OperatorRun(nint context)
{
    /// <summary>Gets an input.</summary>
    public OperatorTensor Input(int index)
    {
        nint value;
        OrtApi.Check(OrtApi.Instance->KernelContext_GetInput(context, (nuint)index, &value));
        return new(value);
    }

    /// <summary>Gets an input that is a batch of images.</summary>
    /// <exception cref="InvalidOperationException">It has other dimensions, or another number of channels.</exception>
    public OperatorTensor Images(int index, int channels)
    {
        OperatorTensor images = Input(index);
        return images.Shape is [_, var found, _, _] && found == channels ? images
            : throw new InvalidOperationException(
                $"the input has the shape [{string.Join(", ", images.Shape)}], expected {channels} channels");
    }

    /// <summary>Creates the output.</summary>
    public OperatorTensor Output(params long[] shape)
    {
        nint value;
        fixed (long* sizes = shape) OrtApi.Check(OrtApi.Instance->KernelContext_GetOutput(context, 0, sizes, (nuint)shape.Length, &value));
        return new(value);
    }

    /// <summary>Runs independent steps on the threads of the session.</summary>
    public void Parallel(int steps, Action<int> step)
    {
        var job = new Job(step);
        GCHandle handle = GCHandle.Alloc(job);
        try
        {
            OrtApi.Check(OrtApi.Instance->KernelContext_ParallelFor(context, &RunStep, (nuint)steps, 0, (void*)GCHandle.ToIntPtr(handle)));
        }
        finally
        {
            handle.Free();
        }
        if (job.Error is { } error) throw error;
    }

    [UnmanagedCallersOnly]
    private static void RunStep(void* handle, nuint number)
    {
        var job = (Job)GCHandle.FromIntPtr((nint)handle).Target!;
        try
        {
            job.Step((int)number);
        }
        catch (Exception e)
        {
            job.Error = e; // no exception may leave a callback
        }
    }

    private sealed record Job(Action<int> Step)
    {
        public Exception? Error { get; set; }
    }
}
