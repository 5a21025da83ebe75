using System.Diagnostics;
using System.Text.Json;
using Tinctor.Slides.Native;

namespace Tinctor.Slides.Tests;

/// <summary>DICOM files that pydicom writes for tests.</summary>
internal static class DicomFiles
{
    public const string ImplicitRaw = "1.2.840.10008.1.2", Raw = "1.2.840.10008.1.2.1", Rle = "1.2.840.10008.1.2.5",
        Jpeg = "1.2.840.10008.1.2.4.50", Jpeg2000 = "1.2.840.10008.1.2.4.90";

    private static readonly Dictionary<string, string> Colours = new() { [Jpeg] = "YBR_FULL_422", [Jpeg2000] = "YBR_RCT" };

    /// <summary>Describes a file with an image in frames; more elements can be added before it is written.</summary>
    public static Dictionary<string, object> Describe(string file, Image image, string syntax = Raw, int tile = 64, string role = "VOLUME")
    {
        string folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"tinctor-dicom-{Environment.ProcessId}")).FullName;
        var frames = new List<string>();
        foreach (Image frame in Frames(image, tile))
        {
            string name = Path.Combine(folder, $"{Guid.NewGuid():N}");
            File.WriteAllBytes(name, Encode(frame, syntax));
            frames.Add(name);
        }
        return new()
        {
            ["file"] = file,
            ["uid"] = $"1.2.3.{Math.Abs((long)Path.GetFileName(file).GetHashCode())}",
            ["syntax"] = syntax,
            ["role"] = role,
            ["samples"] = image.Channels,
            ["bits"] = image.SampleType == SampleType.UInt8 ? 8 : 16,
            ["photometric"] = image.Channels == 1 ? "MONOCHROME2" : Colours.GetValueOrDefault(syntax, "RGB"),
            ["rows"] = tile,
            ["columns"] = tile,
            ["width"] = image.Width,
            ["height"] = image.Height,
            ["frames"] = frames,
            ["mpp"] = 0.5,
        };
    }

    /// <summary>Cuts an image into frames, row by row; those at the edges are filled with black.</summary>
    public static IEnumerable<Image> Frames(Image image, int tile)
    {
        for (int y = 0; y < image.Height; y += tile)
            for (int x = 0; x < image.Width; x += tile)
            {
                var frame = new Image(tile, tile, image.Channels, image.SampleType);
                frame.Paste(image.Crop(x, y, Math.Min(tile, image.Width - x), Math.Min(tile, image.Height - y)), 0, 0);
                yield return frame;
            }
    }

    /// <summary>Writes files by their descriptions; skips the test without pydicom.</summary>
    public static void Write(params Dictionary<string, object>[] files)
    {
        Assert.SkipUnless(Path.Exists("/usr/lib/python3/dist-packages/pydicom"),
            "needs the package python3-pydicom: apt-get install python3-pydicom");
        using var script = new StreamReader(typeof(DicomFiles).Assembly.GetManifestResourceStream("dicom.py")!);
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", script.ReadToEnd()])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(JsonSerializer.Serialize(files));
        process.StandardInput.Close();
        string faults = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, faults);
        foreach (string frame in files.SelectMany(file => (List<string>)file["frames"]).Distinct()) File.Delete(frame);
    }

    private static byte[] Encode(Image frame, string syntax)
    {
        if (syntax == Jpeg) return ImageWriter.EncodeJpeg(frame, 90);
        if (syntax != Jpeg2000) return frame.Data;
        Assert.SkipUnless(VipsLibrary.HasJpeg2000, "needs a libvips with OpenJPEG");
        using VipsImage source = frame.ToVips(ImageWriter.Interpretation(frame, ImageFormat.Png));
        return source.Jp2ksaveBuffer(lossless: true);
    }
}
