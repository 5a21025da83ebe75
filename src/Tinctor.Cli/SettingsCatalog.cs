using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Segmentation;
using Tinctor.Training.Supervised;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Tinctor.Cli;

/// <summary>One setting of a training.</summary>
/// <param name="Key">Name for --set, such as model.ngf.</param>
/// <param name="Type">Type and range, such as "whole number, 1 to 1024".</param>
/// <param name="Default">Default as --set takes it; may be empty.</param>
/// <param name="Meaning">Description.</param>
internal sealed record Setting(string Key, string Type, string Default, string Meaning);

/// <summary>
/// Settings of the methods, read from the configuration records themselves: types and defaults by reflection, ranges from their validation
/// attributes, descriptions from the XML documentation beside the assembly.
/// </summary>
internal static partial class SettingsCatalog
{
    private static readonly Dictionary<Assembly, Dictionary<string, XElement>> Documentation = [];

    /// <summary>Names of methods and tasks that can be trained.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. RunConfig.Methods.Keys, .. Tasks.Keys];

    private static Dictionary<string, Func<SupervisedConfig>> Tasks => new()
    {
        ["classifier"] = () => new ClassifierConfig(),
        ["segmenter"] = () => new SegmenterConfig(),
        ["ceff-encoder"] = () => new EncoderConfig(),
    };

    /// <summary>Gets the settings of a method or task, in the order of its config.yaml.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static IReadOnlyList<Setting> List(string name) =>
        [.. Walk(RunConfig.Methods.TryGetValue(name, out RunConfig? method) ? method : Tasks[name](), "")
            .Where(setting => setting.Key is not ("method" or "task"))];

    private static IEnumerable<Setting> Walk(object config, string prefix)
    {
        foreach (PropertyInfo property in config.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanWrite || property.IsDefined(typeof(YamlIgnoreAttribute))) continue;
            string key = prefix + UnderscoredNamingConvention.Instance.Apply(property.Name);
            object? value = property.GetValue(config);
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (!IsSection(type)) yield return new(key, TypeOf(property, type), Format(value), Meaning(property));
            else if (value is not null) foreach (Setting setting in Walk(value, $"{key}.")) yield return setting;
            // Of a reference to a file, the program completes the rest.
            else if (type.GetProperty("Path") is not null) yield return new($"{key}.path", "text", "", Meaning(property));
        }
    }

    private static bool IsSection(Type type) => !type.IsEnum && !type.IsAssignableTo(typeof(IEnumerable))
        && type.Namespace!.StartsWith("Tinctor");

    private static string TypeOf(PropertyInfo property, Type type)
    {
        if (property.GetCustomAttribute<AllowedValuesAttribute>() is { } allowed)
            return Words.List(allowed.Values.Select(value => $"{value}"));
        if (type.IsEnum) return Words.List(Enum.GetNames(type).Select(LowerCaseNamingConvention.Instance.Apply));
        if (type == typeof(bool)) return "true or false";
        string name = type == typeof(string) ? "text" : type.IsAssignableTo(typeof(IEnumerable)) ? "list" : type == typeof(double)
            ? "number" : "whole number";
        return property.GetCustomAttribute<RangeAttribute>() is not { } range ? name
            : string.Create(CultureInfo.InvariantCulture, $"{name}, {range.Minimum} to {range.Maximum}")
                .Replace($", 0 to {int.MaxValue}", ", 0 or more");
    }

    private static string Format(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        Enum word => LowerCaseNamingConvention.Instance.Apply(word.ToString()),
        IEnumerable many => string.Join(',', many.Cast<object>().Select(Format)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Meaning(PropertyInfo property)
    {
        Type owner = property.DeclaringType!;
        string name = (owner.IsGenericType ? owner.GetGenericTypeDefinition() : owner).FullName!.Replace('+', '.');
        Dictionary<string, XElement> members = MembersOf(owner.Assembly);
        if (members.TryGetValue($"P:{name}.{property.Name}", out XElement? member) && member.Element("summary") is { } summary)
            return Plain(summary);
        XElement? parameter = members.GetValueOrDefault($"T:{name}")?.Elements("param")
            .FirstOrDefault(param => (string?)param.Attribute("name") == property.Name);
        return parameter is null ? "" : Plain(parameter);
    }

    private static Dictionary<string, XElement> MembersOf(Assembly assembly)
    {
        lock (Documentation)
        {
            if (Documentation.TryGetValue(assembly, out Dictionary<string, XElement>? known)) return known;
            string path = Path.ChangeExtension(assembly.Location, ".xml");
            var members = File.Exists(path)
                ? XDocument.Load(path).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!) : [];
            return Documentation[assembly] = members;
        }
    }

    // References are replaced by the names in config.yaml.
    private static string Plain(XElement element)
    {
        string text = string.Concat(element.Nodes().Select(node => node is not XElement reference ? node.ToString()
            : (string?)reference.Attribute("cref") is string cref
            ? UnderscoredNamingConvention.Instance.Apply(cref[(cref.LastIndexOf('.') + 1)..])
            : reference.Value));
        return System.Net.WebUtility.HtmlDecode(Whitespace().Replace(text, " ").Trim());
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
