namespace Tinctor.Slides.Dicom;

/// <summary>Frame of a file, and its place in the image.</summary>
/// <param name="Part">File that holds it, as an index of <see cref="DicomPlane.Parts"/>.</param>
/// <param name="Frame">Index in that file.</param>
/// <param name="X">Left edge in pixels of the image.</param>
/// <param name="Y">Upper edge in pixels of the image.</param>
internal readonly record struct DicomFrame(int Part, int Frame, int X, int Y);

/// <summary>Image of one optical path in its first focal plane: the frames that cover it, in one or several files.</summary>
internal sealed class DicomPlane
{
    private readonly int opticalPath;
    private readonly ILookup<(int, int), DicomFrame>? sparse;

    /// <summary>Creates a plane.</summary>
    /// <param name="parts">Files of the image.</param>
    /// <param name="opticalPath">Index of the optical path.</param>
    /// <exception cref="TinctorException">The number of frames is not that of the image, or a part is missing.</exception>
    public DicomPlane(IEnumerable<DicomInstance> parts, int opticalPath)
    {
        this.opticalPath = opticalPath;
        Parts = [.. parts.OrderBy(part => part.FrameOffset)];
        First = Parts[0];
        if (Parts.Any(part => (part.Columns, part.Rows, part.Samples, part.SampleBytes, part.IsFull)
            != (First.Columns, First.Rows, First.Samples, First.SampleBytes, First.IsFull)))
            throw Fault("its parts differ in the size or type of their frames");
        if (First.IsFull) CheckNumber();
        else sparse = Sparse();
    }

    /// <summary>Files of the image, in the order of their frames.</summary>
    public IReadOnlyList<DicomInstance> Parts { get; }

    /// <summary>First of the files.</summary>
    public DicomInstance First { get; }

    /// <summary>Optical path of the image.</summary>
    public DicomOpticalPath OpticalPath => First.OpticalPaths[opticalPath];

    private int Across => (First.Width + First.Columns - 1) / First.Columns;

    private int Down => (First.Height + First.Rows - 1) / First.Rows;

    /// <summary>Returns the frames that cover parts of a rectangle.</summary>
    public IEnumerable<DicomFrame> Covering(int x, int y, int width, int height)
    {
        int left = x / First.Columns, right = (x + width - 1) / First.Columns, top = y / First.Rows, bottom = (y + height - 1) / First.Rows;
        // Frames of sparse images may start anywhere, so those that start in the cell before reach into a cell.
        int reach = sparse is null ? 0 : 1;
        for (int row = top - reach; row <= bottom; row++)
            for (int column = left - reach; column <= right; column++)
                foreach (DicomFrame frame in sparse?[(column, row)] ?? [Full(column, row)])
                    if (frame.X < x + width && frame.Y < y + height && frame.X + First.Columns > x && frame.Y + First.Rows > y)
                        yield return frame;
    }

    // Columns vary fastest, then rows, focal planes and optical paths.
    private DicomFrame Full(int column, int row)
    {
        long frame = (((opticalPath * First.FocalPlanes * Down) + row) * Across) + column;
        int part = Parts.Count - 1;
        while (Parts[part].FrameOffset > frame) part--;
        return new(part, (int)(frame - Parts[part].FrameOffset), column * First.Columns, row * First.Rows);
    }

    private ILookup<(int, int), DicomFrame> Sparse()
    {
        double plane = First.Places[0].Z;
        foreach (DicomInstance part in Parts)
            if (part.Places.Count != part.Frames)
                throw new TinctorException(part.Path, $"has {part.Frames} frames, but {part.Places.Count} places of frames",
                    "Copy or export the file again.");
        return Parts.SelectMany((part, index) => part.Places.Index().Where(entry => IsOfPlane(entry.Item))
                .Select(entry => new DicomFrame(index, entry.Index, entry.Item.X, entry.Item.Y)))
            .ToLookup(frame => (frame.X / First.Columns, frame.Y / First.Rows));

        bool IsOfPlane(DicomPlace place) =>
            place.Z == plane && (place.OpticalPath ?? OpticalPath.Identifier) == OpticalPath.Identifier;
    }

    private void CheckNumber()
    {
        Int128 needed = (Int128)Across * Down * First.FocalPlanes * First.OpticalPaths.Count;
        long next = 0;
        foreach (DicomInstance part in Parts)
        {
            if (part.FrameOffset != next) throw Fault($"the file with its frames from {next} on is missing");
            next += part.Frames;
        }
        if (next != needed)
            throw Fault($"has {next} frames, but {First.Width}x{First.Height} pixels in frames of {First.Columns}x{First.Rows} "
                + $"need {needed}");
    }

    private TinctorException Fault(string problem) => new(First.Path, problem, "Copy or export the files again.");
}
