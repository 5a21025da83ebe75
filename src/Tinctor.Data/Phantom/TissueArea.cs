namespace Tinctor.Data.Phantom;

/// <summary>Rectangle of a section in micrometres.</summary>
internal readonly record struct TissueArea(float Left, float Top, float Right, float Bottom)
{
    /// <summary>Gets the area with a margin on every side.</summary>
    public TissueArea Expand(float margin) => new(Left - margin, Top - margin, Right + margin, Bottom + margin);

    /// <summary>Whether a point lies in the area.</summary>
    public bool Contains(float x, float y) => x >= Left && x < Right && y >= Top && y < Bottom;

    /// <summary>Whether a disc may reach into the area.</summary>
    public bool Touches(float x, float y, float radius) =>
        x + radius > Left && x - radius < Right && y + radius > Top && y - radius < Bottom;
}
