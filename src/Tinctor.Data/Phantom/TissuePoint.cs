namespace Tinctor.Data.Phantom;

/// <summary>Composition of the tissue at a point of the section, before staining. Values are relative, 0 to about 1.</summary>
internal struct TissuePoint
{
    /// <summary>Tissue thickness, 0 on glass, in lumina and in clefts.</summary>
    public float Thickness;
    public float Nucleus;
    public float Chromatin;
    public float Nucleolus;
    public float Cytoplasm;

    /// <summary>Fraction of haematoxylin in the stain of the cytoplasm.</summary>
    public float Basophilia;
    public float Collagen;
    public float Blood;
    public float Membrane;

    /// <summary>Noise along the membrane, 0 to 1; the membrane is stained where it is below the completeness of the HER2 level.</summary>
    public float Gap;
    public float Her2;
    public float Ki67;
    public float Lymph;

    /// <summary>Mucoid ground substance between loose fibres, faintly basophilic.</summary>
    public float Ground;

    /// <summary>Optical path length for refraction: thickness with edges of nuclei, fibres and membranes.</summary>
    public float Phase;
    public PhantomTissue Tissue;

    /// <summary>Index into the block's nuclei, -1 outside of nuclei.</summary>
    public int NucleusIndex;
}
