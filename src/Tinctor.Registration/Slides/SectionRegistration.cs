using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>
/// Registration of two images of sections: search of all rotations and translations, rigid refinement of the best candidates, then affine
/// refinement and a nonrigid displacement, from coarse to fine. Each step can be used alone.
/// </summary>
internal static class SectionRegistration
{
    private const int Candidates = 6, CandidateSide = 256, CandidateWindow = 15, CandidateSteps = 20;

    private static readonly (int Side, int Window, int Steps, double Rate)[] Refinements = [(256, 15, 60, 0.02), (480, 11, 40, 0.005)];

    private static readonly NonrigidLevel[] NonrigidLevels = [new(128, 21, 60), new(256, 21, 60), new(512, 21, 40)];

    private const double TissueSide = 512; // pixels of the image in which tissue is detected
    private const double MinTissue = 0.005, MaxTissue = 0.9; // range of tissue shares in which a mask is used
    private const double TissueMargin = 0.1; // of the longer side; pale tissue can be missed

    /// <summary>Estimates the transform from source to target pixels. The images must have pixels of about the same size.</summary>
    /// <param name="source">Source image; it stays fixed.</param>
    /// <param name="target">Target image.</param>
    /// <param name="options">Options; size and resolution are not used here.</param>
    /// <param name="progress">Receives the completed share, 0 to 1.</param>
    /// <exception cref="OptionException">An option is out of range, or the transform is a translation.</exception>
    /// <exception cref="TinctorException">Haematoxylin is requested of an image that is not brightfield.</exception>
    public static RegistrationTransform Estimate(SectionImage source, SectionImage target, RegistrationOptions options,
        IProgress<double>? progress = null)
    {
        options.Validate();
        TransformModel model = Model(options);
        using var scope = torch.NewDisposeScope();
        bool brightfield = source.Modality == Modality.Brightfield && target.Modality == Modality.Brightfield;
        SimilarityMetric metric = options.Similarity ?? (brightfield ? SimilarityMetric.LocalNcc : SimilarityMetric.GradientFields);
        (Tensor sourceTissue, Tensor targetTissue) = (Tissue(source.Image, source.Mpp), Tissue(target.Image, source.Mpp));
        (Tensor A, Tensor B) Structures(StructureChannel channel) =>
            (StructureImage.CreateStretched(source.Image, channel, source.Modality) * sourceTissue,
                StructureImage.CreateStretched(target.Image, channel, target.Modality) * targetTissue);
        (Tensor a, Tensor b) = Structures(options.Channel ?? StructureChannel.Grey);
        (Tensor searchedA, Tensor searchedB) = brightfield ? (a, b) : Structures(StructureChannel.Edges);
        AffineTransform start = Start(searchedA, searchedB, a, b, metric, options.Mirror);
        progress?.Report(0.3);
        AffineTransform affine = Refined(a, b, start, model, metric);
        progress?.Report(0.5);
        DisplacementField? field = model == TransformModel.Nonrigid ? Displaced(a, b, affine, metric, options, progress) : null;
        progress?.Report(1);
        return new(ImageFrame.From(source.Image), ImageFrame.From(target.Image), affine, field,
            QualityCheck.Measure(a, b, sourceTissue, affine, field, metric));
    }

    private static TransformModel Model(RegistrationOptions options) => options.Transform switch
    {
        TransformModel.Translation => throw new OptionException(nameof(RegistrationOptions.Transform),
            "translation is for fields, not for slides", "Use rigid, affine or nonrigid"),
        null => TransformModel.Nonrigid,
        { } model => model,
    };

    // 1 on and around tissue, 0 elsewhere, so that dust and ink are ignored; 1 everywhere if tissue fills the image or none is found.
    private static Tensor Tissue(Image image, double? mpp)
    {
        using var scope = torch.NewDisposeScope();
        double reduced = Math.Max(1, Math.Max(image.Width, image.Height) / TissueSide);
        Image small = image.Resize((int)Math.Ceiling(image.Width / reduced), (int)Math.Ceiling(image.Height / reduced),
            ResizeKernel.Linear);
        // Folds are narrower than the margin.
        TissueMask mask = TissueMask.Detect(small, mpp: mpp * reduced, options: new() { Folds = false });
        double share = mask.Area / ((double)small.Width * small.Height);
        if (share is < MinTissue or > MaxTissue) return torch.ones([1, 1, image.Height, image.Width]).MoveToOuterDisposeScope();
        Tensor tissue = mask.Dilated(TissueMargin * Math.Max(small.Width, small.Height)).Mask.ToTensor();
        if (mask.Pens is Image pens) tissue = tissue * (1 - pens.ToTensor());
        return F.interpolate(tissue.unsqueeze(0), size: (image.Height, image.Width), mode: "bilinear").MoveToOuterDisposeScope();
    }

    private static AffineTransform Start(Tensor searchedSource, Tensor searchedTarget, Tensor source, Tensor target,
        SimilarityMetric metric, bool mirror)
    {
        (Tensor a, Tensor b) = Resolutions.Reduce(source, target, CandidateSide);
        AffineTransform down = Resolutions.Scaling(source, a), downTarget = Resolutions.Scaling(target, b);
        AffineTransform[] candidates = [.. RotationSearch.Find(searchedSource, searchedTarget, mirror, Candidates)
            .Select(candidate => candidate.Transform.Rescaled(down, downTarget))];
        return AffineRefinement.Refine(a, b, candidates, TransformModel.Rigid, metric, CandidateWindow, CandidateSteps, 0.03).Transform
            .Rescaled(down.Inverse(), downTarget.Inverse());
    }

    private static AffineTransform Refined(Tensor source, Tensor target, AffineTransform transform, TransformModel model,
        SimilarityMetric metric)
    {
        foreach (var level in Refinements)
        {
            (Tensor a, Tensor b) = Resolutions.Reduce(source, target, level.Side);
            AffineTransform down = Resolutions.Scaling(source, a), downTarget = Resolutions.Scaling(target, b);
            AffineTransform start = transform.Rescaled(down, downTarget);
            transform = AffineRefinement.Refine(a, b, [start], model, metric, level.Window, level.Steps, level.Rate).Transform
                .Rescaled(down.Inverse(), downTarget.Inverse());
        }
        return transform;
    }

    private static DisplacementField Displaced(Tensor source, Tensor target, AffineTransform affine, SimilarityMetric metric,
        RegistrationOptions options, IProgress<double>? progress)
    {
        using var scope = torch.NewDisposeScope();
        var second = new PartialProgress(progress, 0.5, 1);
        Tensor moved = NonrigidRegistration.Estimate(source, target, affine, metric, options.Regularization, options.Stiffness,
            NonrigidLevels, second);
        (Tensor x, Tensor y) = (moved[0], moved[1]);
        Tensor shifts = torch.stack([(x * affine.Xx) + (y * affine.Xy), (x * affine.Yx) + (y * affine.Yy)]);
        return DisplacementField.Covering(source.size(3), source.size(2), shifts);
    }
}
