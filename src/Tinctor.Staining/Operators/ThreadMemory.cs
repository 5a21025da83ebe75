using System.Runtime.InteropServices;

namespace Tinctor.Staining.Operators;

/// <summary>Memory of a thread for the intermediate values of operators, which grows to the largest size asked for.</summary>
internal sealed unsafe class ThreadMemory
{
    /// <summary>Alignment in bytes: a line of the cache.</summary>
    public const int Alignment = 64;

    [ThreadStatic]
    private static ThreadMemory? instance;

    private float* memory;
    private nuint length;

    ~ThreadMemory() => NativeMemory.AlignedFree(memory);

    /// <summary>Gets memory for numbers, which hold anything. Memory that the thread got before is no longer valid.</summary>
    public static float* Get(nuint count) => (instance ??= new()).Fit(count);

    private float* Fit(nuint count)
    {
        if (count <= length) return memory;
        NativeMemory.AlignedFree(memory);
        memory = null;
        length = 0;
        memory = (float*)NativeMemory.AlignedAlloc(count * sizeof(float), Alignment);
        length = count;
        return memory;
    }
}
