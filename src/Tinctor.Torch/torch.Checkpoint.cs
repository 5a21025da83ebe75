using System.Runtime.InteropServices;

namespace Tinctor.Torch;

public static unsafe partial class torch
{
    /// <summary>
    /// Runs a function without keeping intermediate results, and runs it again for its gradients: saves memory at the cost of time, as
    /// torch.utils.checkpoint. The function must be deterministic and depend on its inputs only. Parameters are inputs too,
    /// which the function may capture. Its gradients cannot be differentiated again.
    /// </summary>
    /// <param name="body">Maps the inputs to a new tensor; called once and for each backward, possibly on another thread.</param>
    /// <param name="inputs">All tensors whose gradients are needed.</param>
    /// <exception cref="TorchException">The function failed during the computation of gradients.</exception>
    public static Tensor checkpoint(Func<Tensor[], Tensor> body, params Tensor[] inputs)
    {
        if (!is_grad_enabled() || !inputs.Any(input => input.requires_grad)) return body(inputs);
        nint state = GCHandle.ToIntPtr(GCHandle.Alloc(UnderPresentAutocast(body, inputs[0].device.type)));
        nint[] handles = Array.ConvertAll(inputs, input => input.Handle);
        nint result;
        fixed (nint* given = handles)
            result = NativeMethods.Check(NativeMethods.tt_checkpoint(&RunBody, state, &ForgetBody, given, handles.Length));
        GC.KeepAlive(inputs);
        return new Tensor(result);
    }

    // The second run must compute in the precision of the first.
    private static Func<Tensor[], Tensor> UnderPresentAutocast(Func<Tensor[], Tensor> body, DeviceType type)
    {
        bool enabled = NativeMethods.tt_autocast_enabled((int)type) != 0;
        var dtype = (ScalarType)NativeMethods.tt_autocast_dtype((int)type);
        return inputs =>
        {
            using Guard precision = autocast(type, dtype, enabled);
            return body(inputs);
        };
    }

    [UnmanagedCallersOnly]
    private static nint RunBody(nint state, nint* inputs, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        var given = new Tensor[count];
        for (int i = 0; i < count; i++) given[i] = new Tensor(inputs[i]);
        try
        {
            return ((Func<Tensor[], Tensor>)GCHandle.FromIntPtr(state).Target!)(given).Release();
        }
        catch (Exception e)
        {
            NativeMethods.tt_fail(e.Message);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static void ForgetBody(nint state) => GCHandle.FromIntPtr(state).Free();
}
