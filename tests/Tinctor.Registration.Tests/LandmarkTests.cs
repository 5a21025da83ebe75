using Tinctor.Tests;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Registration.Tests;

public sealed class LandmarkTests : IDisposable
{
    private static readonly RegistrationTransform Moved = new(new("", 400, 300), new("", 400, 300),
        AffineTransform.Translation(5, -3).After(AffineTransform.Rotation(0.3, 200, 150)), null,
        new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.5 });

    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("in.csv", " ,X,Y\n1,10,20\n2,100.5,60\n")]
    [InlineData("in.csv", "x,Y,name\n10,20,\"a, b\"\n100.5,60,c\n")]
    [InlineData("in.pts", "point\n2\n10 20\n100.5 60\n")]
    public void Map_then_Compute_has_no_error(string name, string text)
    {
        string input = Write(name, text), output = Path.Combine(folder, "out" + Path.GetExtension(name));
        LandmarkFile.Map(input, output, Moved.Apply);
        LandmarkError error = LandmarkError.Compute(Moved, LandmarkFile.Read(input), LandmarkFile.Read(output));
        Assert.Equal(0, error.MedianTre, 2e-3);
        Assert.Equal((2, 0, 1), (error.Count, error.Unmatched, error.Robustness));
        Assert.True(error.InitialMedianRtre > 0.01);
        if (text.Contains("name")) Assert.Contains("\"a, b\"", File.ReadAllText(output));
    }

    // Each landmark of the target is 2 right of and 3 below that of the source with its number; the files differ in order and count.
    [Fact]
    public void Match_pairs_by_number()
    {
        IReadOnlyList<Landmark> source = LandmarkFile.Read(RepositoryFiles.TestData("landmarks_source.csv")),
            target = LandmarkFile.Read(RepositoryFiles.TestData("landmarks_target.csv"));
        IReadOnlyList<(Landmark Source, Landmark Target)> pairs = LandmarkError.Match(source, target);
        Assert.Equal(8, pairs.Count);
        Assert.All(pairs, pair => Assert.Equal((2, 3), (pair.Target.X - pair.Source.X, pair.Target.Y - pair.Source.Y)));
        var shifted = Moved with { Affine = AffineTransform.Translation(2, 3) };
        LandmarkError error = LandmarkError.Compute(shifted, source, target);
        Assert.Equal((8, 2, 0), (error.Count, error.Unmatched, error.MaxRtre));
    }

    [Fact]
    public void Match_without_correspondence_is_refused()
    {
        Landmark[] a = [new("1", 0, 0)], b = [new("2", 0, 0)], two = [new(null, 0, 0), new(null, 1, 1)];
        Assert.Contains("number", Assert.Throws<TinctorException>(() => LandmarkError.Match(a, b)).Message);
        Assert.Contains("has 1 landmarks, the target 2", Assert.Throws<TinctorException>(() => LandmarkError.Match(a, two)).Message);
    }

    [Theory]
    [InlineData("x.csv", "x,y\n1,two\n", "line 2")]
    [InlineData("x.csv", "1,2\n", "no columns X and Y")]
    [InlineData("x.csv", ",X,Y\n1,2,3\n1,4,5\n", "the landmark 1 appears 2 times")]
    [InlineData("x.csv", ",X,Y\n", "has no landmarks")]
    [InlineData("x.pts", "point\n3\n1 2\n", "elastix")]
    [InlineData("x.pts", "point\n1\n1 b\n", "point 1")]
    public void Read_malformed_file_names_problem(string name, string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<TinctorException>(() => LandmarkFile.Read(Write(name, text))).Message);

    [Theory]
    [InlineData("none.csv")]
    [InlineData("none.pts")]
    public void Read_missing_file_names_it(string name) =>
        Assert.StartsWith($"{Path.Combine(folder, name)}: no such file",
            Assert.Throws<TinctorException>(() => LandmarkFile.Read(Path.Combine(folder, name))).Message);

    [Fact]
    public void Map_to_another_format_is_refused()
    {
        string input = Write("in.pts", "point\n1\n1 2\n");
        Assert.Contains("out.pts", Assert.Throws<TinctorException>(() =>
            LandmarkFile.Map(input, Path.Combine(folder, "out.csv"), (x, y) => (x, y))).Message);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
