namespace Tinctor.Torch.Nn;

/// <summary>Methods of modules that return the module with its own type.</summary>
public static class ModuleExtensions
{
    /// <summary>Switches training mode on or off, including submodules.</summary>
    public static T train<T>(this T module, bool mode = true) where T : Module
    {
        foreach (Module part in module.modules()) part.SetTraining(mode);
        return module;
    }

    /// <summary>Switches to evaluation mode: no dropout, running statistics.</summary>
    public static T eval<T>(this T module) where T : Module => module.train(false);

    /// <summary>Enables or disables the gradients of the parameters.</summary>
    public static T requires_grad_<T>(this T module, bool requires_grad = true) where T : Module
    {
        foreach (Tensor parameter in module.parameters()) parameter.requires_grad = requires_grad;
        return module;
    }

    /// <summary>Calls a function for all submodules, inner ones first, and for the module.</summary>
    public static T apply<T>(this T module, Action<Module> fn) where T : Module
    {
        foreach (Module part in module.children()) part.apply(fn);
        fn(module);
        return module;
    }

    /// <summary>Moves parameters and buffers in place, so optimisers remain valid. Only floating-point tensors change type.</summary>
    public static T to<T>(this T module, Device device, ScalarType? dtype = null) where T : Module
    {
        module.Replace(tensor => tensor.to(device, tensor.is_floating_point() ? dtype ?? tensor.dtype : tensor.dtype));
        return module;
    }

    /// <summary>Changes the type of the floating-point parameters and buffers.</summary>
    public static T to<T>(this T module, ScalarType dtype) where T : Module
    {
        module.Replace(tensor => tensor.is_floating_point() ? tensor.to(dtype) : tensor);
        return module;
    }

    /// <summary>Changes the memory format of the four-dimensional parameters and buffers.</summary>
    public static T to<T>(this T module, MemoryFormat memory_format) where T : Module
    {
        module.Replace(tensor => tensor.ndim == 4 ? tensor.contiguous(memory_format) : tensor);
        return module;
    }
}
