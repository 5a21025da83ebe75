using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Report;

/// <summary>Images of one size side by side, a row a field, for the eye.</summary>
public static class ContactSheet
{
    private const int Gap = 4;

    /// <summary>Joins images into one, with a narrow white gap between them.</summary>
    /// <param name="rows">Paths of RGB images, the same number in each row; each row's images are of one size, and so are all rows.</param>
    /// <exception cref="InvalidDataException">An image has another size than the first.</exception>
    public static Image Of(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Image.FromTensor(Joined([.. rows.Select(row => Joined([.. row.Select(Read)], 2))], 1), ValueRange.ZeroToOne);

        Tensor Read(string path)
        {
            Image image = Image.Read(path), first = Image.Read(rows[0][0]);
            return (image.Width, image.Height, image.Channels) == (first.Width, first.Height, first.Channels)
                ? image.ToTensor(ValueRange.ZeroToOne)
                : throw new InvalidDataException($"{path}: is {image.Width}x{image.Height}, {rows[0][0]} is {first.Width}x{first.Height}; "
                    + "a contact sheet takes images of one size");
        }
    }

    private static Tensor Joined(IReadOnlyList<Tensor> images, long dim)
    {
        long[] shape = images[0].shape;
        shape[dim] = Gap;
        return torch.cat([.. images.SelectMany(image => new[] { torch.ones(shape), image }).Skip(1)], dim);
    }
}
