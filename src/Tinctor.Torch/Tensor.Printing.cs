using System.Globalization;
using System.Text;

namespace Tinctor.Torch;

public sealed partial class Tensor
{
    private const int ShownAtEachEnd = 3, ShownWhole = 1000;

    /// <summary>Shape, type, device and values; the middle of long dimensions is left out.</summary>
    public override string ToString()
    {
        if (IsDisposed) return "Tensor(disposed)";
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        var text = new StringBuilder($"Tensor({ShapeText}, {dtype}");
        if (device.type != DeviceType.CPU) text.Append($", {device}");
        if (requires_grad) text.Append(", requires_grad");
        text.Append(")\n");
        Append(text, detach().cpu(), numel() <= ShownWhole, depth: 0);
        return text.ToString();
    }

    /// <summary>The shape as text, such as [2, 3].</summary>
    internal string ShapeText => $"[{string.Join(", ", shape)}]";

    private static void Append(StringBuilder text, Tensor part, bool whole, int depth)
    {
        if (part.ndim == 0)
        {
            text.Append(part.NumberText());
            return;
        }
        long count = part.size(0);
        text.Append('[');
        for (long i = 0; i < count; i++)
        {
            if (i > 0) text.Append(part.ndim > 1 ? ",\n" + new string(' ', depth + 1) : ", ");
            if (!whole && count > 2 * ShownAtEachEnd && i == ShownAtEachEnd)
            {
                text.Append("...");
                i = count - ShownAtEachEnd - 1;
                continue;
            }
            Append(text, part[i], whole, depth + 1);
        }
        text.Append(']');
    }

    private string NumberText() => dtype switch
    {
        ScalarType.Bool => item() != 0 ? "True" : "False",
        ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64 =>
            $"{real().NumberText()}{imag().item().ToString("+0.####;-0.####", CultureInfo.InvariantCulture)}j",
        _ when is_floating_point() => item().ToString("G5", CultureInfo.InvariantCulture),
        _ => item<long>().ToString(CultureInfo.InvariantCulture),
    };
}
