using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Registration.Sections;

/// <summary>
/// Registers two images of sections: a search over all rotations and shifts, rigid refinement of the most likely ones, an affine map and
/// a displacement, from coarse to fine. Each step can be used alone.
/// </summary>
public static class SectionRegistration
{
    private const int Candidates = 6, CandidateSide = 256, CandidateWindow = 15, CandidateSteps = 20;

    // Side, window, steps and rate of the refinement that follows.
    private static readonly (int Side, int Window, int Steps, double Rate)[] Refinements = [(256, 15, 60, 0.02), (480, 11, 40, 0.005)];

    private static readonly ElasticLevel[] Elastic = [new(128, 21, 60), new(256, 21, 60), new(512, 21, 40)];

    private const double TissueSide = 512; // pixels at which tissue is looked for
    private const double LeastTissue = 0.005, MostTissue = 0.9; // shares of an image, between which a mask tells something
    private const double AroundTissue = 0.1; // of the longer side: pale tissue is missed at times

    /// <summary>Finds where the source's pixels are in the target. Images have pixels of about the same size.</summary>
    /// <param name="source">What stays.</param>
    /// <param name="target">What is brought onto it.</param>
    /// <param name="options">How; its size and resolution do not matter here.</param>
    /// <param name="mpp">Micrometres per pixel, where known: helps to find the tissue.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <exception cref="TinctorException">The images do not have the channels that the options ask for.</exception>
    public static SlideTransform Estimate(Image source, Image target, SectionOptions options, double? mpp = null,
        IProgress<double>? progress = null)
    {
        options.Validate();
        using var scope = torch.NewDisposeScope();
        bool brightfield = source.Channels == 3 && target.Channels == 3;
        Similarity similarity = options.Similarity ?? (brightfield ? Similarity.LocalNcc : Similarity.GradientFields);
        (Tensor sourceTissue, Tensor targetTissue) = (Tissue(source, mpp), Tissue(target, mpp));
        (Tensor A, Tensor B) Structures(StructureChannel channel) =>
            (StructureImage.Stretched(source, channel) * sourceTissue, StructureImage.Stretched(target, channel) * targetTissue);
        (Tensor a, Tensor b) = Structures(options.Channel ?? StructureChannel.Grey);
        (Tensor searchedA, Tensor searchedB) = brightfield ? (a, b) : Structures(StructureChannel.Edges);
        AffineTransform start = Start(searchedA, searchedB, a, b, similarity, options.Mirror);
        progress?.Report(0.3);
        TransformKind kind = options.Model == SectionModel.Rigid ? TransformKind.Rigid : TransformKind.Affine;
        AffineTransform affine = Refined(a, b, start, kind, similarity);
        progress?.Report(0.5);
        DisplacementField? field = options.Model != SectionModel.Nonrigid ? null
            : Displaced(a, b, affine, similarity, options, progress);
        progress?.Report(1);
        return new(SlideFrame.Of(source), SlideFrame.Of(target), affine, field,
            QualityCheck.Of(a, b, sourceTissue, affine, field, similarity));
    }

    // 1 on tissue and around it, 0 elsewhere: dust and ink are no structure. 1 everywhere where tissue fills the image, or none is found.
    private static Tensor Tissue(Image image, double? mpp)
    {
        using var scope = torch.NewDisposeScope();
        double reduced = Math.Max(1, Math.Max(image.Width, image.Height) / TissueSide);
        Image small = image.Resize((int)Math.Ceiling(image.Width / reduced), (int)Math.Ceiling(image.Height / reduced), ResizeKernel.Linear);
        TissueMask mask = TissueMask.Of(small, mpp: mpp * reduced);
        double share = mask.Area / ((double)small.Width * small.Height);
        if (share is < LeastTissue or > MostTissue) return torch.ones([1, 1, image.Height, image.Width]).MoveToOuterDisposeScope();
        Tensor tissue = mask.Dilated(AroundTissue * Math.Max(small.Width, small.Height)).Mask.ToTensor();
        if (mask.Pens is Image pens) tissue = tissue * (1 - pens.ToTensor());
        return F.interpolate(tissue.unsqueeze(0), size: (image.Height, image.Width), mode: "bilinear").MoveToOuterDisposeScope();
    }

    private static AffineTransform Start(Tensor searchedSource, Tensor searchedTarget, Tensor source, Tensor target, Similarity similarity,
        bool mirror)
    {
        (Tensor a, Tensor b) = Levels.Reduce(source, target, CandidateSide);
        AffineTransform down = Levels.Scaling(source, a), downTarget = Levels.Scaling(target, b);
        return RotationSearch.Find(searchedSource, searchedTarget, mirror, Candidates)
            .Select(one => AffineRefinement.Refine(a, b, one.Transform.Between(down, downTarget), TransformKind.Rigid, similarity,
                CandidateWindow, CandidateSteps, 0.03))
            .MaxBy(one => one.Similarity).Transform
            .Between(down.Inverse(), downTarget.Inverse());
    }

    private static AffineTransform Refined(Tensor source, Tensor target, AffineTransform transform, TransformKind kind,
        Similarity similarity)
    {
        foreach (var level in Refinements)
        {
            (Tensor a, Tensor b) = Levels.Reduce(source, target, level.Side);
            AffineTransform down = Levels.Scaling(source, a), downTarget = Levels.Scaling(target, b);
            AffineTransform start = transform.Between(down, downTarget);
            transform = AffineRefinement.Refine(a, b, start, kind, similarity, level.Window, level.Steps, level.Rate).Transform
                .Between(down.Inverse(), downTarget.Inverse());
        }
        return transform;
    }

    private static DisplacementField Displaced(Tensor source, Tensor target, AffineTransform affine, Similarity similarity,
        SectionOptions options, IProgress<double>? progress)
    {
        using var scope = torch.NewDisposeScope();
        var second = new PartialProgress(progress, 0.5, 1);
        Tensor moved = ElasticRegistration.Estimate(source, target, affine, similarity, options.Smoothness, options.Stiffness, Elastic,
            second);
        (Tensor x, Tensor y) = (moved[0], moved[1]);
        Tensor shifts = torch.stack([(x * affine.Xx) + (y * affine.Xy), (x * affine.Yx) + (y * affine.Yy)]);
        return DisplacementField.Covering(source.size(3), source.size(2), shifts);
    }
}
