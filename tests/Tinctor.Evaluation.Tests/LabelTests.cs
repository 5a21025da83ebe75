using Tinctor.Evaluation.Analyses.Encoders;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Classification;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Evaluation.Tests;

[Collection(Alone.Name)]
public sealed class LabelTests : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("tinctor-labels-");

    [Fact]
    public void Nearest_by_cosine_votes_by_count_then_similarity()
    {
        var library = new FeatureLibrary([Of("a", 1, 0), Of("b", 0.9f, 0.1f), Of("b", 0, 2), Of("c", -1, 0), Of("a", 0.1f, 1)]);
        IReadOnlyList<Neighbour> near = library.Nearest([3, 0], 3, _ => false);
        Assert.Equal(["a", "b", "a"], near.Select(neighbour => neighbour.Label));
        Assert.Equal([1, 0.9 / Math.Sqrt(0.82), 0.1 / Math.Sqrt(1.01)], near.Select(neighbour => neighbour.Similarity),
            (x, y) => Math.Abs(x - y) < 1e-6);
        Assert.Equal(["b", "a"], library.Nearest([3, 0], 2, image => image.Features[0] == 1).Select(neighbour => neighbour.Label));
        Assert.Equal("a", FeatureLibrary.Vote(near));
        Assert.Equal("b", FeatureLibrary.Vote([new("a", 0.9), new("a", 0.1), new("b", 0.6), new("b", 0.5), new("c", 0.99)]));
        Assert.Null(FeatureLibrary.Vote([]));
    }

    [Fact]
    public void PairSeparation_threshold_lies_between_pairs_and_others()
    {
        PairSeparation apart = PairSeparation.Compute([0.9, 0.8, 0.7], [0.1, 0.2, 0.3]);
        Assert.Equal((0.5, 1, 1), (apart.Threshold, apart.Accuracy, apart.Roc.Auroc));
        PairSeparation mixed = PairSeparation.Compute([0.9, 0.8, 0.2], [0.1, 0.3, 0.4]);
        Assert.Equal(0.6, mixed.Threshold, 1e-12);
        Assert.Equal(5 / 6.0, mixed.Accuracy, 1e-12);
        Assert.Equal(7 / 9.0, mixed.Roc.Auroc, 1e-12);
        Assert.Equal(0.5, PairSeparation.Compute([0.5, 0.5], [0.5, 0.5]).Roc.Auroc);
    }

    [Theory]
    [InlineData(2), InlineData(3), InlineData(50)]
    public void Derangement_is_permutation_without_fixed_points(int count)
    {
        int[] order = PairSeparation.Derangement(count, seed: 4);
        Assert.Equal(Enumerable.Range(0, count), order.Order());
        Assert.All(order.Index(), item => Assert.NotEqual(item.Index, item.Item));
        Assert.Equal(order, PairSeparation.Derangement(count, seed: 4));
    }

    [Fact]
    public void LabelAnalysis_exchanged_images_lose_their_labels()
    {
        ReportSection section = new LabelAnalysis(Settings()).Run(Set(), null, default);
        Assert.Null(section.NotComputed);
        SectionTable table = section.Tables[0];
        object? Cell(string method, string column) =>
            table.Rows.Single(row => row[0]!.Equals(method))[table.Columns.Index().First(c => c.Item.Key == column).Index];
        Assert.Equal(1.0, Cell("Faithful", "top1"));
        Assert.Equal(0.0, Cell("Exchanged", "top1"));
        // Own image and slide are left out of the test images, so that two of the own label and four of the other are left.
        Assert.Equal(0.0, Cell("Exchanged", "top3"));
        Assert.Equal(1.0, Cell("Exchanged", "top5"));
        Assert.Equal(Cell("Faithful", "accuracy"), Cell("Real images (upper bound)", "accuracy"));
        Assert.Equal(1, (double)Cell("Faithful", "feature_similarity")!, 1e-6);
        Assert.InRange((double)Cell("Exchanged", "feature_similarity")!, 0, 0.9999);
        Assert.Equal(3, section.Charts.Count);
        Assert.All(section.Charts, chart => Assert.Equal(8, ((MatrixChart)chart).Values.Sum(row => row.Sum())));
        Assert.Contains(section.Provenance, line => line.Text.Contains(SupervisedModel.Sha256(Model)));
    }

    [Fact]
    public void LabelAnalysis_library_is_training_test_or_paper_images()
    {
        Data.TestSet set = Set();
        LabelledImage[] targets =
            [.. set.Pairs.Select(pair => new LabelledImage(pair.Real, pair.Label == "dark" ? "light" : "dark", null))];
        Data.TestSet wrong = set with { TrainingTargets = targets };
        Assert.Equal(0.0, Top1(LibraryChoice.Auto, wrong));
        Assert.Equal(1.0, Top1(LibraryChoice.Test, wrong));
        Assert.Equal(1.0, Top1(LibraryChoice.Paper, set));
        Assert.Throws<OptionException>(() => Top1(LibraryChoice.Train, set));

        object? Top1(LibraryChoice choice, Data.TestSet of) =>
            new LabelAnalysis(Settings() with { Library = choice }).Run(of, null, default).Tables[0].Rows[0][1];
    }

    [Fact]
    public void LabelAnalysis_unknown_and_missing_labels_are_reported()
    {
        Data.TestSet set = Set();
        Data.TestSet Labelled(string? label) => set with { Pairs = [.. set.Pairs.Select(pair => pair with { Label = label })] };
        Assert.Contains("labels of the images are unknown", new LabelAnalysis(Settings()).Run(Labelled(null), null, default).NotComputed);
        Assert.Contains("the label 4+ is unknown to the classifier, which has the classes dark, light",
            Assert.Throws<TinctorException>(() => new LabelAnalysis(Settings()).Run(Labelled("4+"), null, default)).Message);
    }

    [Fact]
    public void RefuseOwn_comparator_of_model_is_refused()
    {
        LabelSettings settings = Settings();
        Assert.Contains("the weights are equal",
            Assert.Throws<TinctorException>(() => settings.RefuseOwn([ComparatorReference.FromFolder(Model)])).Message);
        settings.RefuseOwn([new ComparatorReference { Sha256 = "00", TrainingId = "other", Seed = 7, Fold = 1 }]);
    }

    [Fact]
    public void RefuseOwn_comparator_of_same_images_or_slides_is_refused()
    {
        LabelSettings settings = Settings();
        TrainingRecord own = Classifier.ReadCard(Model).Training;
        Assert.Equal("both were trained or validated on 1 of the same images", Reason(own with { Images = ["b", "c"] }, ["a", "b"]));
        Assert.Null(Reason(own with { Images = ["b", "c"], Seed = 7, Fold = 2 }, ["a"]));
        TrainingRecord slides = own with { DataSha256 = "d", TrainSlides = ["1", "2"], ValidationSlides = ["3"] };
        Assert.Equal("both were trained or validated on images of slide 3",
            Dependence(slides, slides with { TrainSlides = ["3", "4"], ValidationSlides = ["5"] }));
        Assert.Null(Dependence(slides, slides with { TrainSlides = ["4"], ValidationSlides = ["5"] }));
        // Without records, equal seeds and folds are all that is known.
        Assert.Equal("both were trained with seed 7 and fold 2",
            new ComparatorReference { Seed = 7, Fold = 2, Sha256 = "1" }.ReasonOfDependence(new() { Seed = 7, Fold = 2, Sha256 = "2" }));
        settings.RefuseTestImages([], ["slide1"]);

        static string? Dependence(TrainingRecord a, TrainingRecord b) =>
            new ComparatorReference { Sha256 = "1", TrainingId = "1", Training = a, Seed = 7, Fold = 2 }
                .ReasonOfDependence(new() { Sha256 = "2", TrainingId = "2", Training = b, Seed = 7, Fold = 2 });

        static string? Reason(TrainingRecord a, string[] others) => Dependence(a, a with { Images = others });
    }

    [Fact]
    public void EncoderAnalysis_separates_pairs_from_others()
    {
        ReportSection section = new EncoderAnalysis(null, () => new ClassifierFeatures(Classifier.Load(Model, Device.CPU)), patch: 32)
            .Run(Set(), null, default);
        IReadOnlyList<object?> faithful = section.Tables[0].Rows[0];
        // A slide has one dark and one light image, so that the other image of the slide is told apart too.
        Assert.Equal(["Faithful and real", "Faithful and real, unpaired of the same slide", "Exchanged and real",
            "Exchanged and real, unpaired of the same slide"], section.Tables[0].Rows.Select(row => row[0]));
        Assert.True((double)section.Tables[0].Rows[1][6]! > 0.9);
        // Exchanged with the other image of its slide: the unpaired couples are the equal ones.
        Assert.Equal(1.0, (double)section.Tables[0].Rows[3][3]!, 1e-6);
        Assert.Equal("Faithful and real", faithful[0]);
        Assert.Equal(32, faithful[1]);
        Assert.Equal(1.0, (double)faithful[2]!, 1e-6);
        Assert.True((double)faithful[6]! > 0.9);
        Assert.Equal(["similarity_faithful_real", "similarity_faithful_real_same_slide", "similarity_exchanged_real",
            "similarity_exchanged_real_same_slide", "roc"], section.Charts.Select(chart => chart.Key));
        var histogram = (HistogramChart)section.Charts[0];
        Assert.All(histogram.Series, series => Assert.Equal(1, series.Y.Sum(), 1e-9));
        Assert.Equal("Best threshold", Assert.Single(histogram.Lines).Name);
        Assert.Contains("but a patch has 65x65", Assert.Throws<TinctorException>(() =>
            new EncoderAnalysis(null, () => new ClassifierFeatures(Classifier.Load(Model, Device.CPU)), 65).Run(Set(), null, default))
            .Message);
    }

    private string Model => Path.Combine(root.FullName, "model");

    private static LibraryImage Of(string label, params float[] features) => new(null, label, null, features);

    // An untrained network tells dark noise from light noise well enough.
    private LabelSettings Settings()
    {
        if (!Directory.Exists(Model))
        {
            torch.manual_seed(5);
            using ResNet network = ResNet.Create("resnet18", 2);
            var record = new TrainingRecord("id", 7, 2, 5, 1, 1, "accuracy", null, "", 1, 0, [], [], [], "");
            SupervisedModel.Write(Model, new ClassifierCard(record, "resnet18", ["dark", "light"], "target", "evaluator", 64, 0,
                [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], null, null), network);
        }
        return new(Model, Device.CPU);
    }

    // Eight real images of eight slides; one model hands them back, the other those of the other label.
    /// <summary>Seven of eight levels are right; the wrong one is counted, and the probabilities averaged.</summary>
    [Fact]
    public void PredictedLevelAnalysis_compares_levels_with_labels()
    {
        Data.TestSet set = Set();
        string folder = Path.Combine(root.FullName, "predicted");
        Directory.CreateDirectory(folder);
        var predicted = new StainedFolder("faithful", folder);
        Assert.False(PredictedLevelAnalysis.AreThere([predicted]));
        var table = new IhcLevelTable(folder, ["dark", "light"]);
        foreach (var (i, pair) in set.Pairs.Index())
            table.Set(pair.Name, new(["dark", "light"], pair.Label == "dark" || i < 4 && i % 4 == 3 ? [0.75f, 0.25f]
                : [0.5f - i / 100f, 0.5f + i / 100f]));
        table.Save();
        Assert.True(PredictedLevelAnalysis.AreThere([predicted]));
        ReportSection section = new PredictedLevelAnalysis([predicted, new("other", root.FullName)]).Run(set, null, default);
        IReadOnlyList<object?> row = Assert.Single(section.Tables[0].Rows);
        Assert.Equal("faithful", row[0]);
        Assert.Equal(7 / 8.0, (double)row[1]!, 1e-12);
        Assert.Equal(0.75, (double)row[2]!, 1e-12);
        Assert.Equal(((5 * 0.75) + 0.51 + 0.55 + 0.57) / 8, (double)row[3]!, 1e-4);
        Assert.Equal([[4.0, 0.0], [1.0, 3.0]], Assert.IsType<MatrixChart>(Assert.Single(section.Charts)).Values);

        File.WriteAllLines(Path.Combine(folder, "levels.csv"), File.ReadLines(Path.Combine(folder, "levels.csv")).SkipLast(1).ToArray());
        Assert.Contains("no row of 7", Assert.Throws<TinctorException>(() =>
            new PredictedLevelAnalysis([predicted]).Run(set, null, default)).Message);
    }

    private Data.TestSet Set()
    {
        _ = Settings();
        string[] files = [.. Enumerable.Range(0, 8).Select(Write)];
        var pairs = files.Select((file, i) => new Data.ImagePair($"{i}",
            new Dictionary<string, string> { ["faithful"] = file, ["exchanged"] = files[i ^ 1] }, file, null, i % 2 == 0 ? "dark" : "light",
            $"slide{i / 2}"));
        return new([.. pairs], [new("faithful", "Faithful", ""), new("exchanged", "Exchanged", "")], [], 0);
    }

    private string Write(int i)
    {
        string path = Path.Combine(root.FullName, $"{i}.png");
        var image = new Image(64, 64, 3);
        new Random(i).NextBytes(image.Data);
        for (int s = 0; s < image.Data.Length; s++) image.Data[s] = (byte)((image.Data[s] / 4) + (i % 2 == 0 ? 20 : 180));
        image.Write(path);
        return path;
    }

    public void Dispose() => root.Delete(recursive: true);
}
