using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Slides.Native;

/// <summary>
/// While there is one of these, files that libvips writes stay open. When saving a pyramid fails, libvips (8.14) lets go of the temporary files of its
/// levels before libtiff has closed them, which takes the process down.
/// </summary>
internal sealed unsafe class KeptTargets : IDisposable
{
    private static readonly ConcurrentBag<nint> Kept = [];
    private static int users;

    // Objects of libvips say when they are built.
    static KeptTargets() => VipsNative.g_signal_add_emission_hook(
        VipsNative.g_signal_lookup("postbuild", VipsNative.vips_object_get_type()), 0, &Keep, 0, 0);

    public KeptTargets() => Interlocked.Increment(ref users);

    public void Dispose()
    {
        if (Interlocked.Decrement(ref users) > 0) return;
        while (Kept.TryTake(out nint target)) VipsNative.g_object_unref(target);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Keep(nint hint, uint count, GValue* values, nint data)
    {
        nint built = VipsNative.g_value_get_object(values);
        if (users > 0 && VipsNative.g_type_check_instance_is_a(built, VipsNative.vips_target_get_type()) != 0)
            Kept.Add(VipsNative.g_object_ref(built));
        return 1; // stays connected
    }
}
