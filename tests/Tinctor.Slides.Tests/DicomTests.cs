using static Tinctor.Slides.Tests.DicomFiles;

namespace Tinctor.Slides.Tests;

/// <summary>DICOM whole-slide images that pydicom wrote.</summary>
public sealed class DicomTests : InTemporaryFolder
{
    [Theory]
    [InlineData(Raw, 3, SampleType.UInt8), InlineData(Raw, 1, SampleType.UInt16), InlineData(ImplicitRaw, 3, SampleType.UInt8)]
    [InlineData(Rle, 3, SampleType.UInt8), InlineData(Rle, 1, SampleType.UInt16), InlineData(Rle, 1, SampleType.UInt8)]
    [InlineData(Jpeg2000, 3, SampleType.UInt8), InlineData(Jpeg2000, 1, SampleType.UInt16)]
    public void Read_lossless_frames_gives_every_pixel(string syntax, int channels, SampleType type)
    {
        Image image = TestImages.Make(201, 133, channels, type);
        Write(Describe(At("level0.dcm"), image, syntax));
        using var slide = Slide.Open(At("level0.dcm"));
        Assert.Equal((201, 133, channels, type), (slide.Width, slide.Height, slide.Channels, slide.SampleType));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 201, 133).Data);
        Assert.Equal(image.Crop(63, 60, 70, 9).Data, slide.Read(0, 63, 60, 70, 9).Data);
        Assert.Equal(("DICOM slide", 0.5, "the DICOM metadata", 20.0), (slide.Format, slide.Mpp, slide.MppOrigin, slide.Objective));
    }

    [Theory]
    [InlineData("basic", 1), InlineData("none", 1), InlineData("extended", 1), InlineData("basic", 3), InlineData("none", 3)]
    public void Read_jpeg_frames_equal_decoded_tiles(string table, int fragments)
    {
        Image image = TestImages.Smooth(150, 100, 3);
        Dictionary<string, object> file = Describe(At("level0.dcm"), image, Jpeg);
        (file["table"], file["fragments"]) = (table, fragments);
        Write(file);
        using var slide = Slide.Open(At("level0.dcm"));
        Image read = slide.Read(0, 0, 0, 150, 100);
        int i = 0;
        foreach (Image tile in Frames(image, 64))
        {
            File.WriteAllBytes(At("tile.jpg"), ImageWriter.EncodeJpeg(tile, 90));
            (int x, int y) = (i % 3 * 64, i / 3 * 64);
            (int width, int height) = (Math.Min(64, 150 - x), Math.Min(64, 100 - y));
            Assert.Equal(Image.Read(At("tile.jpg")).Crop(0, 0, width, height).Data, read.Crop(x, y, width, height).Data);
            i++;
        }
    }

    // Pixels that are not tiled over the whole image, in any order and at any place.
    [Theory]
    [InlineData(Raw), InlineData(Rle)]
    public void Read_sparse_frames_gives_background_between(string syntax)
    {
        Image image = TestImages.Smooth(64, 64, 3), expected = new(300, 200, 3);
        Array.Fill(expected.Data, (byte)255);
        (int X, int Y)[] places = [(236, 130), (0, 0), (100, 37)];
        foreach ((int x, int y) in places) expected.Paste(image, x, y);
        Dictionary<string, object> file = Describe(At("sparse.dcm"), image, syntax);
        (file["width"], file["height"]) = (300, 200);
        file["frames"] = ((List<string>)file["frames"]).SelectMany(frame => Enumerable.Repeat(frame, 4)).ToList();
        // The last frame is of another focal plane.
        file["places"] = places.Append((X: 10, Y: 10))
            .Select((place, i) => new object?[] { place.X, place.Y, i < 3 ? 0 : 1.5, null }).ToArray();
        Write(file);
        using var slide = Slide.Open(At("sparse.dcm"));
        Assert.Equal(expected.Data, slide.Read(0, 0, 0, 300, 200).Data);
        Assert.Equal(expected.Crop(120, 60, 130, 90).Data, slide.Read(0, 120, 60, 130, 90).Data);
    }

    [Fact]
    public void Open_folder_or_any_file_gives_pyramid_with_associated_images()
    {
        Image[] levels = [TestImages.Smooth(400, 240, 3), TestImages.Smooth(200, 120, 3), TestImages.Smooth(50, 30, 3)];
        Image label = TestImages.Smooth(40, 20, 3), overview = TestImages.Smooth(60, 20, 3);
        File.WriteAllBytes(At("profile"), [1, 2, 3, 4]);
        var files = levels.Select((level, i) => Describe(At($"case/{i}.1.2"), level)).ToArray();
        files[0]["icc"] = At("profile");
        Directory.CreateDirectory(At("case"));
        Write([files[1], files[0], files[2], Describe(At("case/label"), label, role: "LABEL"),
            Describe(At("case/overview.dcm"), overview, Jpeg2000, role: "OVERVIEW"),
            Describe(At("case/thumbnail.dcm"), levels[2], Rle, role: "THUMBNAIL")]);
        File.WriteAllText(At("case/readme.txt"), "beside the slide");
        foreach (string path in new[] { At("case"), At("case/"), At("case/1.1.2"), At("case/label") })
        {
            using var slide = Slide.Open(path);
            Assert.Equal([(400, 240), (200, 120), (50, 30)], slide.Levels.Select(level => (level.Width, level.Height)));
            Assert.Equal([1.0, 2.0, 8.0], slide.Levels.Select(level => level.Downsample));
            for (int level = 0; level < 3; level++)
                Assert.Equal(levels[level].Data, slide.Read(level, 0, 0, levels[level].Width, levels[level].Height).Data);
            Assert.Equal(["label", "macro", "thumbnail"], slide.AssociatedNames);
            Assert.Equal(label.Data, slide.ReadAssociated("label").Data);
            Assert.Equal(overview.Data, slide.ReadAssociated("macro").Data);
            Assert.Equal([1, 2, 3, 4], slide.ReadIccProfile()!);
            Assert.Equal(6, slide.Files.Count);
            Assert.Equal("H&E section", slide.Properties["dicom.SeriesDescription"]);
            if (Directory.Exists(path)) Assert.Equal("case", slide.Name);
        }
        Assert.True(SlideFormats.IsSlideFolder(At("case")) && SlideFormats.IsSlide(At("case/1.1.2")));
        Assert.Equal([At("case")], SlideFormats.List(Folder).Files);
    }

    // Concatenation: frames of one image in several files.
    [Fact]
    public void Open_image_in_parts_joins_them_and_names_missing_part()
    {
        Image image = TestImages.Make(150, 130, 3, SampleType.UInt8);
        var parts = Enumerable.Range(0, 3).Select(i => Describe(At($"part{i}.dcm"), image)).ToArray();
        for (int i = 0; i < 3; i++)
        {
            (parts[i]["whole"], parts[i]["part"]) = ("1.2.9", i * 3);
            parts[i]["frames"] = ((List<string>)parts[i]["frames"])[(3 * i)..(3 * i + 3)];
        }
        Write(parts);
        using (var slide = Slide.Open(At("part1.dcm"))) Assert.Equal(image.Data, slide.Read(0, 0, 0, 150, 130).Data);
        File.Delete(At("part1.dcm"));
        Assert.Contains("the file with its frames from 3 on is missing",
            Assert.Throws<TinctorException>(() => Slide.Open(At("part0.dcm"))).Message);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Open_optical_paths_are_channels(bool inOneFile)
    {
        Image image = TestImages.Make(100, 70, 2, SampleType.UInt16);
        Image[] planes = [.. Enumerable.Range(0, 2).Select(c => new Image(100, 70, 1, SampleType.UInt16, image.Plane(c)))];
        Dictionary<string, object>[] files = [Describe(At("a.dcm"), planes[0]), Describe(At("b.dcm"), planes[1])];
        (files[0]["paths"], files[1]["paths"]) = (new[] { "DAPI" }, new[] { "FITC" });
        if (inOneFile)
        {
            files[0]["paths"] = new[] { "DAPI", "FITC" };
            files[0]["frames"] = files.SelectMany(file => (List<string>)file["frames"]).ToList();
            files = files[..1];
        }
        Write(files);
        using var slide = Slide.Open(At("a.dcm"));
        Assert.Equal((2, Modality.Fluorescence), (slide.Channels, slide.Modality));
        Assert.Equal(["DAPI", "FITC"], slide.ChannelInfo.Select(channel => channel.Name));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 100, 70).Data);
        Assert.Equal(0, slide.Read(0, 100, 70, 1, 1).Samples16[0]);
    }

    [Fact]
    public void Open_focal_planes_reads_first_with_note()
    {
        Image first = TestImages.Make(100, 70, 3, SampleType.UInt8), second = TestImages.Make(100, 70, 3, SampleType.UInt8, seed: 2);
        Dictionary<string, object> file = Describe(At("a.dcm"), first), other = Describe(At("b.dcm"), second);
        (file["focal"], file["frames"]) = (2, ((List<string>)file["frames"]).Concat((List<string>)other["frames"]).ToList());
        Write(file);
        using var slide = Slide.Open(At("a.dcm"));
        Assert.Equal(first.Data, slide.Read(0, 0, 0, 100, 70).Data);
        Assert.Contains("only the first of 2 focal planes is read", slide.Notes);
    }

    // The meaning of three samples, which JPEG files alone do not tell.
    [Theory]
    [InlineData("YBR_FULL", 0), InlineData("RGB", 1)]
    public void Read_colours_follow_photometric_interpretation(string photometric, int planar)
    {
        Image image = TestImages.Smooth(64, 64, 3), stored = new(64, 64, 3, data: (byte[])image.Data.Clone());
        if (planar == 1) stored = new(64, 64, 3, data: [.. Enumerable.Range(0, 3).SelectMany(image.Plane)]);
        else ImageReader.YCbCrToRgb(image.Data);
        Dictionary<string, object> file = Describe(At("a.dcm"), stored);
        (file["photometric"], file["planar"]) = (photometric, planar);
        Write(file);
        using var slide = Slide.Open(At("a.dcm"));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 64, 64).Data);
    }

    [Fact]
    public void Read_jpeg_of_rgb_without_markers_is_not_converted()
    {
        Image image = TestImages.Smooth(64, 64, 3);
        using VipsImage source = image.ToVips(NetVips.Enums.Interpretation.Srgb);
        byte[] jpeg = source.JpegsaveBuffer(100, subsampleMode: NetVips.Enums.ForeignSubsample.Off);
        // Without the segment of JFIF, its luma and chroma are taken as they are.
        byte[] bare = [.. jpeg[..2], .. jpeg[(4 + (jpeg[4] << 8 | jpeg[5]))..]];
        Dictionary<string, object> file = Describe(At("a.dcm"), image, Jpeg);
        file["photometric"] = "RGB";
        File.WriteAllBytes(((List<string>)file["frames"])[0], bare);
        Write(file);
        using var slide = Slide.Open(At("a.dcm"));
        byte[] samples = slide.Read(0, 0, 0, 64, 64).Data;
        ImageReader.YCbCrToRgb(samples);
        Assert.InRange(image.Data.Zip(samples, (a, b) => Math.Abs(a - b)).Max(), 0, 4);
    }

    [Fact]
    public void Open_folder_of_several_series_lists_them()
    {
        Image a = TestImages.Smooth(64, 64, 3), b = TestImages.Smooth(80, 70, 3);
        Dictionary<string, object> second = Describe(At("b.dcm"), b);
        (second["series"], second["description"]) = ("1.2.3.5", "");
        Write(Describe(At("a.dcm"), a), second);
        Assert.Equal($"{Folder}: holds 2 series of slides: a.dcm (H&E section), b.dcm. Name one of these files instead of the folder.",
            Assert.Throws<TinctorException>(() => Slide.Open(Folder)).Message);
        using (var slide = Slide.Open(At("b.dcm"))) Assert.Equal((80, 70), (slide.Width, slide.Height));
        Assert.Equal([At("a.dcm"), At("b.dcm")], SlideFormats.List(Folder).Files);
        Assert.False(SlideFormats.IsSlideFolder(Folder));
    }

    [Theory]
    [InlineData("1.2.840.10008.1.3.10", "directory of files (DICOMDIR)"), InlineData("1.2.840.10008.5.1.4.1.1.2", "CT")]
    [InlineData("1.2.840.10008.5.1.4.1.1.77.1.4", "photograph"), InlineData("1.2.3.4.5", "SOP class 1.2.3.4.5")]
    public void Open_other_dicom_is_refused_by_kind(string kind, string name)
    {
        Dictionary<string, object> file = Describe(At("a.dcm"), TestImages.Smooth(64, 64, 3));
        file["sop"] = kind;
        if (name.Contains("DICOMDIR")) file["without"] = new[] { "SOPClassUID" };
        Write(file);
        Assert.StartsWith($"{At("a.dcm")}: is DICOM, but no whole-slide image ({name}). ",
            Assert.Throws<TinctorException>(() => Slide.Open(At("a.dcm"))).Message);
        Assert.StartsWith($"{At("a.dcm")}: is DICOM, but an image is expected. ",
            Assert.Throws<TinctorException>(() => Image.Read(At("a.dcm"))).Message);
        SlideFolder folder = SlideFormats.List(Folder);
        Assert.Empty(folder.Files);
        Assert.Equal([new(At("a.dcm"), "is no whole-slide image in DICOM")], folder.Skipped);
    }

    [Theory]
    [InlineData("stated", 5, "has 5 frames, but 150x100 pixels in frames of 64x64 need 6")]
    [InlineData("width", 2_000_000_000, "has 6 frames, but 2000000000x100 pixels in frames of 64x64 need 62500000")]
    [InlineData("width", 0, "TotalPixelMatrixColumns is 0, but must be 1 to 2147483647")]
    [InlineData("rows", 65535, "holds 73728 bytes of pixels, but 6 frames need 75496320")]
    [InlineData("syntax", "1.2.840.10008.1.2.4.80", "is compressed with JPEG-LS, which is not supported. Export the slide with JPEG, ")]
    [InlineData("photometric", "PALETTE COLOR", "has 3 samples of PALETTE COLOR a pixel, which is not supported. ")]
    [InlineData("photometric", "RG\n\u0001B X", "has 3 samples of RGB X a pixel, which is not supported. ")]
    [InlineData("role", "LABEL", "the series has no image of role VOLUME, only label. Copy the whole series.")]
    [InlineData("without", "TotalPixelMatrixColumns", "has no TotalPixelMatrixColumns")]
    [InlineData("without", "PixelData", "has no pixels")]
    [InlineData("without", "SeriesInstanceUID", "has no SeriesInstanceUID")]
    [InlineData("bits", 32, "has samples that are not unsigned 8 or 16 bit, which is not supported")]
    public void Open_wrong_metadata_is_one_line(string key, object value, string expected)
    {
        Dictionary<string, object> file = Describe(At("a.dcm"), TestImages.Smooth(150, 100, 3));
        file[key] = key == "without" ? new[] { value } : value;
        Write(file);
        string message = Assert.Throws<TinctorException>(() => Slide.Open(At("a.dcm"))).Message;
        Assert.StartsWith($"{At("a.dcm")}: {expected}", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_refuses_frames_that_would_fill_memory()
    {
        Dictionary<string, object> file = Describe(At("a.dcm"), TestImages.Smooth(150, 100, 3));
        (file["rows"], file["columns"]) = (ushort.MaxValue, ushort.MaxValue);
        Write(file);
        Assert.Contains("frames of 65535x65535 pixels (the limit is 256 MB)",
            Assert.Throws<TinctorException>(() => Slide.Open(At("a.dcm"))).Message);
    }

    [Theory]
    [InlineData(Jpeg), InlineData(Jpeg2000)]
    public void Read_frame_larger_than_stated_is_refused_before_it_is_decoded(string syntax)
    {
        Dictionary<string, object> file = Describe(At("a.dcm"), TestImages.Smooth(150, 100, 3), syntax);
        Dictionary<string, object> large = Describe(At("b.dcm"), new Image(2048, 2048, 3), syntax, tile: 2048);
        ((List<string>)file["frames"])[4] = ((List<string>)large["frames"])[0];
        Write(file);
        using var slide = Slide.Open(At("a.dcm"));
        Assert.Contains("2048x2048x3", Assert.Throws<TinctorException>(() => slide.Read(0, 64, 64, 64, 36)).Message);
    }

    [Theory]
    [InlineData(Jpeg), InlineData(Jpeg2000)]
    public void Read_empty_frame_is_one_line(string syntax)
    {
        Dictionary<string, object> file = Describe(At("a.dcm"), TestImages.Smooth(150, 100, 3), syntax);
        File.WriteAllBytes(((List<string>)file["frames"])[4], []);
        file["table"] = "damaged";
        Write(file);
        using var slide = Slide.Open(At("a.dcm"));
        slide.Read(0, 0, 0, 150, 64);
        Assert.Equal($"{At("a.dcm")}: damaged or truncated: it has an empty frame. Copy or export the file again.",
            Assert.Throws<TinctorException>(() => slide.Read(0, 0, 0, 150, 100)).Message);
    }

    [Fact]
    public void Open_without_pixel_spacing_has_unknown_resolution()
    {
        Dictionary<string, object> file = Describe(At("a.dcm"), TestImages.Smooth(64, 64, 3));
        file["mpp"] = 0;
        Write(file);
        using (var slide = Slide.Open(At("a.dcm"))) Assert.Null(slide.Mpp);
        using (var slide = Slide.Open(At("a.dcm"), 0.25)) Assert.Equal(0.25, slide.Mpp);
        // The width of the image in millimetres, beside which the spacing is redundant.
        file["volume"] = 0.016;
        file["frames"] = Describe(At("a.dcm"), TestImages.Smooth(64, 64, 3))["frames"];
        Write(file);
        using (var slide = Slide.Open(At("a.dcm"))) Assert.Equal(0.25, slide.Mpp!.Value, 1e-6);
    }

    // Copies that broke off, and bits that flipped.
    [Theory]
    [InlineData(Jpeg), InlineData(Rle), InlineData(Raw), InlineData(Jpeg2000)]
    public void Read_damaged_files_is_pixels_or_one_line(string syntax)
    {
        Dictionary<string, object> file = Describe(At("whole.dcm"), TestImages.Smooth(150, 100, 3), syntax);
        file["places"] = Enumerable.Range(0, 6).Select(i => new object?[] { i % 3 * 64, i / 3 * 64, 0, null }).ToArray();
        Write(file);
        byte[] whole = File.ReadAllBytes(At("whole.dcm"));
        File.Delete(At("whole.dcm"));
        var random = new Random(7);
        int read = 0;
        for (int i = 0; i < 150; i++)
        {
            byte[] broken = i % 3 == 0 ? whole[..random.Next(1, whole.Length)] : (byte[])whole.Clone();
            // Half of the flips are in the metadata, at the start.
            for (int flips = i % 3 * random.Next(1, 4); flips > 0; flips--)
                broken[random.Next(i % 2 == 0 ? broken.Length : Math.Min(broken.Length, 4000))] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(At("broken.dcm"), broken);
            try
            {
                using var slide = Slide.Open(At("broken.dcm"));
                slide.Read(0, 0, 0, Math.Min(slide.Width, 150), Math.Min(slide.Height, 100));
                read++;
            }
            catch (TinctorException error)
            {
                Assert.StartsWith(At("broken.dcm"), error.Message);
                Assert.DoesNotContain('\n', error.Message);
            }
        }
        Assert.InRange(read, 1, 149);
    }
}
