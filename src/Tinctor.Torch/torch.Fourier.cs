namespace Tinctor.Torch;

public static partial class torch
{
    /// <summary>Fourier transforms, as torch.fft.</summary>
    public static class fft
    {
        /// <summary>The discrete Fourier transform along a dimension.</summary>
        public static Tensor fft_(Tensor input, long? n = null, long dim = -1, string? norm = null) =>
            Ops.fft_fft.Call(input, n, dim, norm);

        /// <summary>Its inverse along a dimension.</summary>
        public static Tensor ifft(Tensor input, long? n = null, long dim = -1, string? norm = null) =>
            Ops.fft_ifft.Call(input, n, dim, norm);

        /// <summary>The transform of real input, half of it along a dimension.</summary>
        public static Tensor rfft(Tensor input, long? n = null, long dim = -1, string? norm = null) =>
            Ops.fft_rfft.Call(input, n, dim, norm);

        /// <summary>Its inverse along a dimension.</summary>
        public static Tensor irfft(Tensor input, long? n = null, long dim = -1, string? norm = null) =>
            Ops.fft_irfft.Call(input, n, dim, norm);

        /// <summary>The two-dimensional transform.</summary>
        public static Tensor fft2(Tensor input, long[]? s = null, long[]? dim = null, string? norm = null) =>
            Ops.fft_fft2.Call(input, s, dim ?? [-2, -1], norm);

        /// <summary>Its inverse.</summary>
        public static Tensor ifft2(Tensor input, long[]? s = null, long[]? dim = null, string? norm = null) =>
            Ops.fft_ifft2.Call(input, s, dim ?? [-2, -1], norm);

        /// <summary>The two-dimensional transform of real input, half of it.</summary>
        public static Tensor rfft2(Tensor input, long[]? s = null, long[]? dim = null, string? norm = null) =>
            Ops.fft_rfft2.Call(input, s, dim ?? [-2, -1], norm);

        /// <summary>Its inverse.</summary>
        public static Tensor irfft2(Tensor input, long[]? s = null, long[]? dim = null, string? norm = null) =>
            Ops.fft_irfft2.Call(input, s, dim ?? [-2, -1], norm);

        /// <summary>The zero frequency moved to the middle.</summary>
        public static Tensor fftshift(Tensor input, long[]? dim = null) => Ops.fft_fftshift.Call(input, dim);

        /// <summary>The inverse of <see cref="fftshift"/>.</summary>
        public static Tensor ifftshift(Tensor input, long[]? dim = null) => Ops.fft_ifftshift.Call(input, dim);

        /// <summary>The frequencies of <see cref="fft_"/>.</summary>
        public static Tensor fftfreq(long n, double d = 1) => Ops.fft_fftfreq.Call(n, d);
    }
}
