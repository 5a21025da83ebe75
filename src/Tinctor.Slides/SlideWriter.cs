using NetVips;
using Tinctor.Slides.Native;

namespace Tinctor.Slides;

/// <summary>
/// Writer of slides, tile by tile, completely or not at all. Pyramidal OME-TIFF and TIFF hold a few tiles in memory; Deep Zoom, PNG and
/// JPEG hold one row of tiles.
/// </summary>
public static class SlideWriter
{
    private const int LargestJpegSide = 65_500;

    // Defaults of OpenSeadragon and of the Deep Zoom tools.
    private const int DeepZoomTile = 254, DeepZoomOverlap = 1;

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
    /// .ome.tif and .ome.tiff: OME-TIFF, a BigTIFF with levels as SubIFDs; .tif and .tiff: levels as pages; .dzi: Deep Zoom, with tiles in
    /// the folder NAME_files; .png, .jpg, .jpeg: one level.
    /// </param>
    /// <param name="spec">Specification of the slide.</param>
    /// <param name="tiles">Tiles in the order of <see cref="SlideSpec.Tiles"/>.</param>
    /// <exception cref="TinctorException">
    /// The extension is another, the format cannot hold the slide, or the file cannot be written, for example for lack of space.
    /// </exception>
    public static void Write(string path, SlideSpec spec, IEnumerable<Image> tiles)
    {
        Kind kind = KindOf(path);
        Refuse(path, kind, spec);
        RefuseFullDisk(path, spec);
        try
        {
            if (kind is Kind.OmeTiff or Kind.Tiff)
                AtomicFile.Write(path, file => TiffPyramid.Write(file, spec, tiles, kind == Kind.OmeTiff ? OmeXml.Write(spec) : null));
            else AtomicFile.Replace(path, temporary => SaveRows(path, temporary, kind, spec, tiles));
        }
        catch (VipsException error)
        {
            throw FileErrors.WritingByLibrary(path, error.Reason(), error);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Writing(path, error);
        }
        catch (ArgumentOutOfRangeException error) when (error.ParamName == "value")
        {
            throw new TinctorException(path, "cannot be written: the file system holds no file of this size", "Choose another disk.",
                error);
        }
    }

    /// <summary>Writes an image in memory as a slide.</summary>
    public static void Write(string path, SlideSpec spec, Image image) => Write(path, spec, spec.TilesOf([image]));

    /// <summary>Whether a file of this name can hold an ICC profile.</summary>
    public static bool KeepsIccProfile(string path) => KindOf(path) != Kind.DeepZoom;

    /// <summary>Checks that a slide can be written under a name, before work on it starts.</summary>
    /// <exception cref="TinctorException">The extension is another, or the format cannot hold the slide.</exception>
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
            _ => throw new TinctorException(path, "slides cannot be written with this extension",
                "Use .ome.tif, .tif, .dzi, .png or .jpg."),
        };
    }

    private static void Refuse(string path, Kind kind, SlideSpec spec)
    {
        bool colours = spec.Channels == 1 || spec.IsRgb, wide = spec.SampleType == SampleType.UInt16;
        string? reason = kind switch
        {
            Kind.OmeTiff or Kind.Tiff => null,
            _ when !colours => $"holds grey or RGB, the slide has {spec.Channels} separate channels",
            Kind.Jpeg when wide => "JPEG holds 8 bits a sample, the slide has 16",
            Kind.DeepZoom when wide => "Deep Zoom holds 8 bits a sample, the slide has 16",
            Kind.Jpeg when Math.Max(spec.Width, spec.Height) > LargestJpegSide => $"JPEG holds up to {LargestJpegSide} pixels a side",
            _ => null,
        };
        if (reason is not null) throw new TinctorException(path, reason, "Write an .ome.tif.");
    }

    private static void SaveRows(string path, string temporary, Kind kind, SlideSpec spec, IEnumerable<Image> tiles)
    {
        VipsLibrary.Require();
        using var rows = new RowSource(spec.Width, spec.Height, spec.Channels, spec.SampleType, Rows(spec, tiles));
        try
        {
            using VipsImage loaded = rows.Open(), image = spec.IccProfile is byte[] profile ? loaded.WithIccProfile(profile) : loaded;
            if (kind == Kind.DeepZoom) SaveDeepZoom(image, path, temporary, spec);
            else SavePlain(image, temporary, kind, spec);
        }
        catch (VipsException) when (rows.Failure is not null)
        {
            throw rows.Failure;
        }
    }

    private static void SavePlain(VipsImage image, string temporary, Kind kind, SlideSpec spec)
    {
        if (kind == Kind.Png) image.Pngsave(temporary, ImageWriter.PngCompression, filter: ImageWriter.PngFilter);
        else image.Jpegsave(temporary, spec.JpegQuality ?? 100, subsampleMode: Enums.ForeignSubsample.Off);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Rows(SlideSpec spec, IEnumerable<Image> tiles)
    {
        var row = new Image(spec.Width, Math.Min(spec.Tile, spec.Height), spec.Channels, spec.SampleType);
        foreach ((PixelArea area, Image tile) in spec.Tiles.Zip(tiles))
        {
            row.Paste(tile, area.X, 0);
            if (area.Right == spec.Width) yield return row.Data.AsMemory(0, row.Data.Length / row.Height * area.Height);
        }
    }

    // The tiles are moved before the .dzi, so that an existing .dzi has all of its tiles.
    private static void SaveDeepZoom(VipsImage image, string path, string temporary, SlideSpec spec)
    {
        string tiles = TilesOf(path), written = TilesOf(temporary);
        try
        {
            image.Dzsave(Path.ChangeExtension(temporary, null),
                suffix: spec.JpegQuality is int quality ? $".jpg[Q={quality},subsample-mode=off]" : ".png",
                regionShrink: Enums.RegionShrink.Mean, tileSize: DeepZoomTile, overlap: DeepZoomOverlap);
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

    private static void RefuseFullDisk(string path, SlideSpec spec)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < spec.ExpectedBytes)
            throw new TinctorException(path,
                $"takes about {SlideSpec.Size(spec.ExpectedBytes)}, but only {SlideSpec.Size(free)} are free in {folder}",
                "Make room, or choose another folder.");
    }
}
