using System.Globalization;
using Tinctor.Slides.Formats;
using Tinctor.Slides.Native;
using Tinctor.Torch.Serialization;

namespace Tinctor.Slides;

/// <summary>
/// Writes slides row by row, so that memory does not grow with their height: pyramidal OME-TIFF and TIFF, Deep Zoom, PNG, JPEG. The slide
/// is complete or not there at all.
/// </summary>
public static class SlideWriter
{
    private const int LargestJpegSide = 65_500;

    // As OpenSeadragon's and Deep Zoom's own tools have them.
    private const string DeepZoomTile = "254", DeepZoomOverlap = "1";

    private enum Kind
    {
        OmeTiff,
        Tiff,
        DeepZoom,
        Png,
        Jpeg,
    }

    /// <summary>Writes a slide.</summary>
    /// <param name="path">
    /// .ome.tif and .ome.tiff: OME-TIFF, BigTIFF with its levels as SubIFDs; .tif and .tiff: levels as pages; .dzi: Deep Zoom, with its tiles
    /// in a folder beside it that ends in _files; .png, .jpg, .jpeg: plain.
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
        Kind kind = KindOf(path);
        bool planes = spec.Channels is not (1 or 3);
        Refuse(path, kind, spec);
        RefuseFullDisk(path, kind, spec);
        using var rows = new VipsRowSource(spec.Width, planes ? checked(spec.Height * spec.Channels) : spec.Height, planes ? 1 : spec.Channels,
            spec.SampleType, planes ? Planes(spec, bands) : bands().Select(band => (ReadOnlyMemory<byte>)band.Data));
        try
        {
            AtomicFile.Replace(path, temporary => Save(rows, path, temporary, kind, spec, planes));
        }
        catch (VipsException error)
        {
            if (rows.Failure is not null) throw rows.Failure;
            throw new IOException($"{path}: cannot be written ({error.Message}); check permissions and free space", error);
        }
    }

    /// <summary>Throws <see cref="InvalidDataException"/> if a slide cannot be written under this name: for a command, before it starts.</summary>
    public static void Refuse(string path, SlideSpec spec) => Refuse(path, KindOf(path), spec);

    private static Kind KindOf(string path)
    {
        string name = Path.GetFileName(path).ToLowerInvariant();
        return name.EndsWith(".ome.tif") || name.EndsWith(".ome.tiff") ? Kind.OmeTiff : Path.GetExtension(name) switch
        {
            ".tif" or ".tiff" => Kind.Tiff,
            ".dzi" => Kind.DeepZoom,
            ".png" => Kind.Png,
            ".jpg" or ".jpeg" => Kind.Jpeg,
            _ => throw new InvalidDataException($"{path}: slides are written as .ome.tif, .tif, .dzi, .png or .jpg"),
        };
    }

    private static void Refuse(string path, Kind kind, SlideSpec spec)
    {
        bool colours = spec.Channels is 1 or 3, wide = spec.SampleType == SampleType.UInt16;
        string? reason = kind switch
        {
            Kind.OmeTiff or Kind.Tiff => null,
            _ when !colours => $"holds 1 or 3 channels, the slide has {spec.Channels}",
            Kind.Jpeg when wide => "JPEG holds 8 bits a sample, the slide has 16",
            Kind.DeepZoom when wide => "Deep Zoom holds 8 bits a sample, the slide has 16",
            Kind.Jpeg when Math.Max(spec.Width, spec.Height) > LargestJpegSide => $"JPEG holds up to {LargestJpegSide} pixels a side",
            _ => null,
        };
        if (reason is not null) throw new InvalidDataException($"{path}: {reason}; write an .ome.tif");
    }

    private static void Save(VipsRowSource rows, string path, string temporary, Kind kind, SlideSpec spec, bool planes)
    {
        using var targets = new KeptTargets();
        using VipsImage image = rows.Open();
        if (planes) image.SetPages(spec.Height, 0);
        if (kind == Kind.OmeTiff) image.SetDescription(OmeXml.Write(spec));
        if (kind == Kind.DeepZoom) SaveDeepZoom(image, path, temporary, spec);
        else using (VipsOperation save = Saver(kind, spec)) save.Set("in", image).Set("filename", temporary).Run();
    }

    private static VipsOperation Saver(Kind kind, SlideSpec spec) => kind switch
    {
        Kind.Png => ImageWriter.Png("pngsave"),
        Kind.Jpeg => ImageWriter.Jpeg("jpegsave", spec.JpegQuality ?? 100),
        _ => Pyramid(spec).Set("subifd", kind == Kind.OmeTiff ? "true" : "false"),
    };

    // The tiles come to their place before the .dzi does, so that one that is there has all of its own.
    private static void SaveDeepZoom(VipsImage image, string path, string temporary, SlideSpec spec)
    {
        string tiles = TilesOf(path), written = TilesOf(temporary);
        try
        {
            using VipsOperation save = new VipsOperation("dzsave").Set("in", image).Set("filename", Path.ChangeExtension(temporary, null))
                .Set("suffix", spec.JpegQuality is int quality ? $".jpg[Q={quality},subsample-mode=off]" : ".png")
                .Set("region-shrink", "mean").Set("tile-size", DeepZoomTile).Set("overlap", DeepZoomOverlap);
            save.Run();
            File.Delete(path);
            if (Directory.Exists(tiles)) Directory.Delete(tiles, recursive: true);
            Directory.Move(written, tiles);
        }
        finally
        {
            if (Directory.Exists(written)) Directory.Delete(written, recursive: true);
        }
    }

    private static string TilesOf(string path) => $"{Path.ChangeExtension(Path.GetFullPath(path), null)}_files";

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
        for (int channel = 0; channel < spec.Channels; channel++)
            foreach (Image band in bands()) yield return band.Plane(channel);
    }

    // libvips keeps the levels below the first among the temporary files until the first is written.
    private static void RefuseFullDisk(string path, Kind kind, SlideSpec spec)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        Refuse(folder, spec.ExpectedBytes, "make room, or choose another folder");
        if (kind is Kind.OmeTiff or Kind.Tiff) Refuse(Path.GetTempPath(), spec.ExpectedBytes / 4, "make room, or let TMPDIR name another folder");

        void Refuse(string where, long needed, string advice)
        {
            long free = new DriveInfo(where).AvailableFreeSpace;
            if (free < needed)
                throw new IOException($"{path}: takes about {SlideSpec.Size(needed)} in {where}, {SlideSpec.Size(free)} are free; {advice}");
        }
    }
}
