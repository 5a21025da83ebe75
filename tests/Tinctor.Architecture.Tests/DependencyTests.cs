using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Tinctor.Architecture.Tests;

/// <summary>Rules of ARCHITECTURE.md: dependencies point down, and libraries know no user interface.</summary>
public sealed partial class DependencyTests
{
    // From the bottom up; an assembly refers to lower ones only.
    private static readonly string[] Layers =
    [
        "Tinctor.Core", "Tinctor.Torch", "Tinctor.Slides", "Tinctor.Slides.Torch", "Tinctor.Data", "Tinctor.Transforms",
        "Tinctor.Registration", "Tinctor.Staining",
        "Tinctor.Measurement", "Tinctor.Viewer", "Tinctor.Training", "Tinctor.Evaluation", "tinctor",
    ];

    private static readonly Lazy<DependencyGraph> Graph = new(DependencyGraph.Read);

    [Fact]
    public void Namespaces_have_no_cycles()
    {
        IEnumerable<string> cycles = Graph.Value.Cycles().Select(cycle => string.Join("\n", cycle.SelectMany(from =>
            Graph.Value.DependenciesOf(from).Where(to => cycle.Contains(to.Key)).Select(to => $"{from} -> {to.Key}: {to.Value}"))));
        Assert.True(!cycles.Any(), string.Join("\n\n", cycles));
    }

    [Fact]
    public void Assemblies_refer_to_lower_layers_only()
    {
        string[] found = [.. DependencyGraph.Modules().Select(module => module.Assembly.Name.Name)];
        Assert.Equal(Layers.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        foreach (ModuleDefinition module in DependencyGraph.Modules())
        {
            int layer = Array.IndexOf(Layers, module.Assembly.Name.Name);
            Assert.All(module.AssemblyReferences.Select(reference => Array.IndexOf(Layers, reference.Name)).Where(other => other >= 0),
                other => Assert.True(other < layer, $"{Layers[layer]} refers to {Layers[other]}"));
        }
    }

    [Theory]
    [InlineData("Tinctor.Slides", "Tinctor.Torch")]
    [InlineData("Tinctor.Data", "Tinctor.Torch")]
    [InlineData("Tinctor.Transforms", "Tinctor.Torch")]
    [InlineData("Tinctor.Staining", "Tinctor.Torch")]
    [InlineData("Tinctor.Staining", "Tinctor.Training")]
    [InlineData("Tinctor.Measurement", "Tinctor.Torch")]
    [InlineData("Tinctor.Measurement", "Tinctor.Training")]
    [InlineData("Tinctor.Viewer", "Tinctor.Torch")]
    [InlineData("Tinctor.Viewer", "Tinctor.Training")]
    [InlineData("Tinctor.Training.Networks", "Tinctor.Staining")]
    [InlineData("Tinctor.Training.Networks", "Tinctor.Data")]
    [InlineData("Tinctor.Training.Networks", "Tinctor.Training.Losses")]
    [InlineData("Tinctor.Training.Losses", "Tinctor.Training.Networks")]
    [InlineData("Tinctor.Training.Losses", "Tinctor.Staining")]
    public void Namespace_does_not_depend_on(string from, string to)
    {
        string[] sources = [.. Graph.Value.Namespaces.Where(name => IsWithin(name, from) && !IsWithin(name, "Tinctor.Slides.Torch"))];
        Assert.NotEmpty(sources);
        Assert.All(sources, name => Assert.DoesNotContain(Graph.Value.DependenciesOf(name), target => IsWithin(target.Key, to)));
    }

    [Fact]
    public void Namespace_belongs_to_one_assembly()
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (ModuleDefinition module in DependencyGraph.Modules())
        {
            foreach (string name in module.Types.Select(type => type.Namespace).Where(name => name.StartsWith("Tinctor")).Distinct())
                Assert.True(owners.TryAdd(name, module.Name), $"{name} is in {module.Name} and in {owners[name]}");
        }
    }

    [Fact]
    public void Libraries_use_no_console()
    {
        foreach (ModuleDefinition module in DependencyGraph.Modules().Where(module => module.Assembly.Name.Name != "tinctor"))
        {
            Assert.DoesNotContain(module.AssemblyReferences, reference =>
                reference.Name is "System.CommandLine" or "Spectre.Console" or "System.Console");
        }
    }

    [Fact]
    public void Libraries_mention_no_command_line_options()
    {
        var mentions = new List<string>();
        foreach (ModuleDefinition module in DependencyGraph.Modules().Where(module => module.Assembly.Name.Name != "tinctor"))
        {
            foreach (MethodDefinition method in module.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody))
            {
                mentions.AddRange(method.Body.Instructions.Where(instruction => instruction.OpCode == OpCodes.Ldstr)
                    .Select(instruction => (string)instruction.Operand).Where(text => CommandLine().IsMatch(text))
                    .Select(text => $"{method.FullName}: {text}"));
            }
        }
        Assert.True(mentions.Count == 0, string.Join("\n", mentions));
    }

    private static bool IsWithin(string name, string parent) => name == parent || name.StartsWith(parent + ".", StringComparison.Ordinal);

    // "--tile-size", or "tinctor stain", but not "tinctor-model" nor the format "tinctor slide transform".
    [GeneratedRegex(@"(^|[\s'`""(])--[a-z]{2,}|\btinctor (?!slide transform)[a-z]{3,}")]
    private static partial Regex CommandLine();
}
