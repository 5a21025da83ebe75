namespace Tinctor.Staining.Bridges;

/// <summary>Quantity that a bridge's network predicts from a state x.</summary>
public enum BridgeObjective
{
    /// <summary>x - x0, as in virtual staining and BBDM's "grad".</summary>
    Grad,

    /// <summary>(x - x0) / sqrt(v), v the clock: as in the Schrödinger bridge.</summary>
    ScaledGrad,

    /// <summary>The noise in x: BBDM's "noise".</summary>
    Noise,

    /// <summary>y - x0: BBDM's "ysubx".</summary>
    SourceMinusImage,
}
