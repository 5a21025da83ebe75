using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Registration.Sections;

/// <summary>
/// Registers two images of sections: a search over all rotations and shifts, rigid refinement of the most likely ones, an affine map and
/// a displacement, from coarse to fine. Each step can be used alone.
/// </summary>
public static class SectionRegistration
{
    private const int Candidates = 6, CandidateSide = 256, CandidateWindow = 15, CandidateSteps = 40;

    // Side, window, steps and rate of the refinement that follows.
    private static readonly (int Side, int Window, int Steps, double Rate)[] Refinements = [(256, 15, 60, 0.02), (480, 11, 40, 0.005)];

    private static readonly ElasticLevel[] Elastic = [new(128, 21, 60), new(256, 21, 60), new(512, 21, 40)];

    /// <summary>Finds where the source's pixels are in the target. Images have pixels of about the same size.</summary>
    /// <exception cref="InvalidDataException">The images do not have the channels that the options ask for.</exception>
    public static SlideTransform Estimate(Image source, Image target, SectionOptions options, IProgress<double>? progress = null)
    {
        options.Validate();
        using var scope = torch.NewDisposeScope();
        bool brightfield = source.Channels == 3 && target.Channels == 3;
        Similarity similarity = options.Similarity ?? (brightfield ? Similarity.LocalNcc : Similarity.GradientFields);
        StructureChannel channel = options.Channel ?? StructureChannel.Grey;
        Tensor a = StructureImage.Stretched(source, channel), b = StructureImage.Stretched(target, channel);
        AffineTransform start = brightfield ? Start(a, b, a, b, similarity, options.Mirror)
            : Start(StructureImage.Stretched(source, StructureChannel.Edges), StructureImage.Stretched(target, StructureChannel.Edges),
                a, b, similarity, options.Mirror);
        progress?.Report(0.3);
        AffineTransform affine = Refined(a, b, start, options.Model == SectionModel.Rigid ? TransformKind.Rigid : TransformKind.Affine, similarity);
        progress?.Report(0.5);
        DisplacementField? field = options.Model != SectionModel.Nonrigid ? null
            : Displaced(a, b, affine, similarity, options, progress);
        progress?.Report(1);
        return new(SlideFrame.Of(source), SlideFrame.Of(target), affine, field, QualityCheck.Of(a, b, affine, field, similarity));
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

    private static AffineTransform Refined(Tensor source, Tensor target, AffineTransform transform, TransformKind kind, Similarity similarity)
    {
        foreach (var level in Refinements)
        {
            (Tensor a, Tensor b) = Levels.Reduce(source, target, level.Side);
            AffineTransform down = Levels.Scaling(source, a), downTarget = Levels.Scaling(target, b);
            transform = AffineRefinement.Refine(a, b, transform.Between(down, downTarget), kind, similarity, level.Window, level.Steps, level.Rate)
                .Transform.Between(down.Inverse(), downTarget.Inverse());
        }
        return transform;
    }

    private static DisplacementField Displaced(Tensor source, Tensor target, AffineTransform affine, Similarity similarity,
        SectionOptions options, IProgress<double>? progress)
    {
        using var scope = torch.NewDisposeScope();
        var second = new PartialProgress(progress, 0.5, 1);
        Tensor moved = ElasticRegistration.Estimate(source, target, affine, similarity, options.Smoothness, options.Weight, Elastic, second);
        (Tensor x, Tensor y) = (moved[0], moved[1]);
        Tensor shifts = torch.stack([(x * affine.Xx) + (y * affine.Xy), (x * affine.Yx) + (y * affine.Yy)]);
        return DisplacementField.Covering(source.size(3), source.size(2), shifts);
    }
}
