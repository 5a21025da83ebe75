using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Tinctor.Architecture.Tests;

/// <summary>Dependencies between the namespaces of Tinctor's assemblies, read from their compiled code.</summary>
internal sealed class DependencyGraph
{
    private readonly Dictionary<string, Dictionary<string, string>> edges = new(StringComparer.Ordinal);

    /// <summary>Reads the assemblies beside the tests.</summary>
    public static DependencyGraph Read()
    {
        var graph = new DependencyGraph();
        foreach (ModuleDefinition module in Modules())
        {
            using (module)
                foreach (TypeDefinition type in module.GetTypes()) graph.AddReferences(type);
        }
        return graph;
    }

    /// <summary>Tinctor's own assemblies.</summary>
    public static IEnumerable<ModuleDefinition> Modules() =>
        Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Where(path => IsOurs(Path.GetFileNameWithoutExtension(path)))
            .Order(StringComparer.Ordinal).Select(path => ModuleDefinition.ReadModule(path));

    /// <summary>Namespaces that a namespace depends on, each with an example of types.</summary>
    public IReadOnlyDictionary<string, string> DependenciesOf(string name) =>
        edges.TryGetValue(name, out Dictionary<string, string>? found) ? found : new Dictionary<string, string>();

    public IEnumerable<string> Namespaces => edges.Keys;

    /// <summary>Groups of namespaces that depend on each other (Tarjan's strongly connected components of more than one).</summary>
    public IReadOnlyList<IReadOnlyList<string>> Cycles()
    {
        var index = new Dictionary<string, int>();
        var low = new Dictionary<string, int>();
        var stack = new Stack<string>();
        var cycles = new List<IReadOnlyList<string>>();
        foreach (string name in edges.Keys.Order(StringComparer.Ordinal))
            if (!index.ContainsKey(name)) Visit(name);
        return cycles;

        void Visit(string name)
        {
            index[name] = low[name] = index.Count;
            stack.Push(name);
            foreach (string next in DependenciesOf(name).Keys)
            {
                if (!index.ContainsKey(next)) Visit(next);
                if (stack.Contains(next)) low[name] = Math.Min(low[name], low[next]);
            }
            if (low[name] != index[name]) return;
            var component = new List<string>();
            do component.Add(stack.Peek());
            while (stack.Pop() != name);
            if (component.Count > 1) cycles.Add([.. component.Order(StringComparer.Ordinal)]);
        }
    }

    private static bool IsOurs(string assembly) =>
        (assembly.StartsWith("Tinctor.", StringComparison.Ordinal) && !assembly.EndsWith(".Tests", StringComparison.Ordinal))
            || assembly == "tinctor";

    private static bool IsOurs(TypeReference type) => type.Scope switch
    {
        ModuleDefinition module => IsOurs(module.Assembly.Name.Name),
        AssemblyNameReference assembly => IsOurs(assembly.Name),
        _ => false,
    };

    private static string NamespaceOf(TypeReference type) => type.DeclaringType is { } outer ? NamespaceOf(outer) : type.Namespace;

    private void AddReferences(TypeDefinition type)
    {
        string from = NamespaceOf(type);
        if (!from.StartsWith("Tinctor", StringComparison.Ordinal)) return;
        edges.TryAdd(from, new(StringComparer.Ordinal));
        foreach (TypeReference used in References(type).SelectMany(Parts))
        {
            string to = NamespaceOf(used);
            if (IsOurs(used) && to != from && to.StartsWith("Tinctor", StringComparison.Ordinal))
                edges[from].TryAdd(to, $"{type.FullName} uses {used.FullName}");
        }
    }

    private static IEnumerable<TypeReference?> References(TypeDefinition type) =>
    [
        type.BaseType,
        .. type.Interfaces.Select(one => one.InterfaceType),
        .. type.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType),
        .. type.Fields.Select(field => field.FieldType),
        .. type.Properties.Select(property => property.PropertyType),
        .. type.Events.Select(one => one.EventType),
        .. type.Methods.SelectMany(References),
    ];

    private static IEnumerable<TypeReference?> References(MethodDefinition method)
    {
        yield return method.ReturnType;
        foreach (ParameterDefinition parameter in method.Parameters) yield return parameter.ParameterType;
        foreach (GenericParameterConstraint constraint in method.GenericParameters.SelectMany(parameter => parameter.Constraints))
            yield return constraint.ConstraintType;
        if (!method.HasBody) yield break;
        foreach (VariableDefinition variable in method.Body.Variables) yield return variable.VariableType;
        foreach (ExceptionHandler handler in method.Body.ExceptionHandlers) yield return handler.CatchType;
        foreach (Instruction instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case TypeReference used:
                    yield return used;
                    break;
                case MethodReference called:
                    yield return called.DeclaringType;
                    yield return called.ReturnType;
                    foreach (TypeReference argument in (called as GenericInstanceMethod)?.GenericArguments ?? []) yield return argument;
                    break;
                case FieldReference field:
                    yield return field.DeclaringType;
                    yield return field.FieldType;
                    break;
            }
        }
    }

    // A generic type, its arguments and the elements of arrays.
    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification specification => Parts(specification.ElementType),
        _ => [type],
    };
}
