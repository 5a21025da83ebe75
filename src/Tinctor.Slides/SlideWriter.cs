using System.Globalization;
using Tinctor.Slides.Formats;
using Tinctor.Slides.Native;
using Tinctor.Torch.Serialization;

namespace Tinctor.Slides;

/// <summary>
/// Writes slides row by row, so that memory does not grow with their height: pyramidal OME-TIFF and TIFF, PNG, JPEG. The file is
/// complete or not there at all.
/// </summary>
public static class SlideWriter
{
    /// <summary>Writes a slide.</summary>
    /// <param name="path">
    /// .ome.tif and .ome.tiff: OME-TIFF, BigTIFF with its levels as SubIFDs; .tif and .tiff: levels as pages; .png, .jpg,
    /// .jpeg: plain.
    /// </param>
    /// <param name="spec">What is written.</param>
    /// <param name="bands">
    /// The slide from the top, as bands of its width and any height. Fluorescence (channels other than 1 and 3) is asked for once for each
    /// channel, as its planes are written one after the other.
    /// </param>
    /// <exception cref="InvalidDataException">The format cannot hold it.</exception>
    /// <exception cref="IOException">The file cannot be written, for lack of space for instance.</exception>
    public static void Write(string path, SlideSpec spec, Func<IEnumerable<Image>> bands)
    {
        string kind = KindOf(path);
        bool planes = spec.Channels is not (1 or 3);
        if (planes && !kind.EndsWith("tif"))
            throw new InvalidDataException($"{path}: holds 1 or 3 channels, the slide has {spec.Channels}; write an .ome.tif");
        RefuseFullDisk(path, spec);
        using var rows = new VipsRowSource(spec.Width, planes ? checked(spec.Height * spec.Channels) : spec.Height, planes ? 1 : spec.Channels,
            spec.SampleType, planes ? Planes(spec, bands) : bands().Select(band => (ReadOnlyMemory<byte>)band.Data));
        try
        {
            AtomicFile.Replace(path, temporary => Save(rows, temporary, kind, spec, planes));
        }
        catch (VipsException error)
        {
            if (rows.Failure is not null) throw rows.Failure;
            throw new IOException($"{path}: cannot be written ({error.Message}); check permissions and free space", error);
        }
    }

    private static string KindOf(string path)
    {
        string name = Path.GetFileName(path).ToLowerInvariant();
        string[] known = [".ome.tif", ".ome.tiff", ".tif", ".tiff", ".png", ".jpg", ".jpeg"];
        string kind = known.FirstOrDefault(name.EndsWith)
            ?? throw new InvalidDataException($"{path}: slides are written as {string.Join(", ", known)}");
        return kind.TrimStart('.').Replace("tiff", "tif").Replace("jpeg", "jpg");
    }

    private static void Save(VipsRowSource rows, string path, string kind, SlideSpec spec, bool planes)
    {
        using VipsImage image = rows.Open();
        if (planes) image.SetPages(spec.Height, 0);
        if (kind == "ome.tif") image.SetDescription(OmeXml.Write(spec));
        using VipsOperation save = kind switch
        {
            "png" => new VipsOperation("pngsave").Set("filter", "up").Set("compression", "3"),
            "jpg" => new VipsOperation("jpegsave").Set("Q", $"{spec.JpegQuality ?? 100}").Set("subsample-mode", "off"),
            _ => Pyramid(spec).Set("subifd", kind == "ome.tif" ? "true" : "false"),
        };
        save.Set("in", image).Set("filename", path).Run();
    }

    private static VipsOperation Pyramid(SlideSpec spec)
    {
        VipsOperation save = new VipsOperation("tiffsave").Set("tile", "true").Set("tile-width", $"{spec.Tile}").Set("tile-height", $"{spec.Tile}")
            .Set("pyramid", "true").Set("bigtiff", "true").Set("region-shrink", "mean");
        save = spec.IsJpeg ? save.Set("compression", "jpeg").Set("Q", $"{spec.JpegQuality}")
            : save.Set("compression", "deflate").Set("predictor", "horizontal");
        if (spec.Channels is not (1 or 3)) save.Set("page-height", $"{spec.Height}");
        if (spec.Mpp is not double mpp) return save;
        string perMillimetre = (1000 / mpp).ToString("R", CultureInfo.InvariantCulture);
        return save.Set("xres", perMillimetre).Set("yres", perMillimetre).Set("resunit", "cm");
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Planes(SlideSpec spec, Func<IEnumerable<Image>> bands)
    {
        int size = Image.BytesPerSample(spec.SampleType);
        for (int channel = 0; channel < spec.Channels; channel++)
        {
            foreach (Image band in bands())
            {
                var plane = new byte[band.Width * band.Height * size];
                for (int i = 0; i < plane.Length / size; i++)
                    band.Data.AsSpan(((i * spec.Channels) + channel) * size, size).CopyTo(plane.AsSpan(i * size));
                yield return plane;
            }
        }
    }

    private static void RefuseFullDisk(string path, SlideSpec spec)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < spec.ExpectedBytes)
            throw new IOException($"{path}: takes about {spec.ExpectedBytes / 1e9:0.0} GB, {free / 1e9:0.0} GB are free; make room, or choose another folder");
    }
}
