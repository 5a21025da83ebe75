using System.Reflection;
using System.Reflection.Emit;

namespace Tinctor.Evaluation.Tests;

/// <summary>Namespaces of the library depend on each other in one direction only.</summary>
public sealed class NamespaceTests
{
    // Each may use those before it.
    private static readonly string[] Order =
    [
        "Statistics", "Sections", "Data", "Features", "Metrics", "Analyses", "Analyses.Alignment", "Analyses.Datasets",
        "Analyses.Densities", "Analyses.Distribution", "Analyses.Encoders", "Analyses.Labels", "Analyses.Segmentation", "Analyses.Ihc",
        "Analyses.Uncertainty",
        "", "Report",
    ];

    private static readonly Dictionary<short, OpCode> OpCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    [Fact]
    public void Namespaces_have_no_cycles()
    {
        Assembly assembly = typeof(Evaluator).Assembly;
        var wrong = new SortedSet<string>();
        foreach (Type type in assembly.GetTypes().Where(type => type.Namespace?.StartsWith("Tinctor.Evaluation") == true))
        {
            int place = Array.IndexOf(Order, Short(type));
            Assert.True(place >= 0, $"{type}: add its namespace to the order");
            foreach (Type used in Used(type).SelectMany(Parts).Where(used => used.Assembly == assembly && used.Namespace is not null))
                if (Array.IndexOf(Order, Short(used)) is int other && other > place) wrong.Add($"{type} uses {used}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Folders_have_names_of_namespaces()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Tinctor.slnx"))) root = root.Parent;
        Assert.SkipWhen(root is null, "needs the repository around the tests");
        string folder = Path.Combine(root!.FullName, "src", "Tinctor.Evaluation");
        Assert.All(Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories), file =>
        {
            string below = Path.GetDirectoryName(Path.GetRelativePath(folder, file))!.Replace(Path.DirectorySeparatorChar, '.');
            Assert.Contains($"namespace {string.Join('.', new[] { "Tinctor.Evaluation", below }.Where(part => part.Length > 0))};",
                File.ReadAllText(file));
        });
    }

    private static string Short(Type type) => type.Namespace!["Tinctor.Evaluation".Length..].TrimStart('.');

    private static IEnumerable<Type> Used(Type type)
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
            | BindingFlags.DeclaredOnly;
        IEnumerable<MethodBase> methods = type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all));
        return new[] { type.BaseType }.OfType<Type>().Concat(type.GetInterfaces())
            .Concat(type.GetFields(all).Select(field => field.FieldType))
            .Concat(methods.SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)
                .Concat(method is MethodInfo info ? [info.ReturnType] : []).Concat(InBody(method))));
    }

    // Types of the members that the instructions of a method name.
    private static IEnumerable<Type> InBody(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body || body.GetILAsByteArray() is not { } il) return [];
        Type[] ofType = method.DeclaringType!.GetGenericArguments(), ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : [];
        List<Type> found = [.. body.LocalVariables.Select(local => local.LocalType)];
        for (int at = 0; at < il.Length;)
        {
            short value = il[at] == 0xFE ? BitConverter.ToInt16([il[at + 1], il[at]]) : il[at];
            OpCode code = OpCodes[value];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                MemberInfo? member = method.Module.ResolveMember(BitConverter.ToInt32(il, at), ofType, ofMethod);
                if ((member as Type ?? member?.DeclaringType) is { } type) found.Add(type);
            }
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
        return found;
    }

    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType) return Parts(type.GetElementType()!);
        return type.IsGenericType ? [type, .. type.GetGenericArguments().SelectMany(Parts)] : [type];
    }
}
