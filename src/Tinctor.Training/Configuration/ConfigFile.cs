using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Supervised;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;
using Settings = System.Collections.Generic.Dictionary<object, object?>;

namespace Tinctor.Training.Configuration;

/// <summary>Reads and writes config.yaml, applies key=value overrides, and refuses what no setting is called.</summary>
public static class ConfigFile
{
    /// <summary>Reads a configuration.</summary>
    /// <param name="path">A YAML file, or null for the defaults.</param>
    /// <param name="method">The method, if it is not the file that says so.</param>
    /// <param name="overrides">Settings such as "model.ngf=32" or "training.epochs=10".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static RunConfig Load(string? path, string? method = null, IEnumerable<string>? overrides = null)
    {
        return path is null ? LoadText("", method, overrides) : Load(path, method, overrides, out _);
    }

    /// <param name="path">A YAML file.</param>
    /// <param name="method">The method, if the file does not name it.</param>
    /// <param name="overrides">Settings such as "model.ngf=32" or "training.epochs=10".</param>
    /// <param name="namesMethod">Whether the file names its method; files of early versions may not, and are of pix2pix.</param>
    internal static RunConfig Load(string path, string? method, IEnumerable<string>? overrides, out bool namesMethod)
    {
        string text = ReadText(path);
        namesMethod = Parse(text, path).ContainsKey("method");
        return LoadText(text, method, overrides, path);
    }

    /// <summary>Reads the text of a configuration.</summary>
    /// <param name="yaml">May be empty.</param>
    /// <param name="method">The method, if it is not the text that says so.</param>
    /// <param name="overrides">Settings such as "model.ngf=32".</param>
    /// <param name="origin">Where the text is from, for messages.</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static RunConfig LoadText(string yaml, string? method, IEnumerable<string>? overrides, string origin = "the settings")
    {
        Settings settings = Parse(yaml, origin);
        if (settings.TryGetValue("task", out object? task))
            throw new TinctorException(origin, $"is a configuration of a {task}, not of a staining method", $"Train a {task} with it");
        if (method is not null && settings.TryGetValue("method", out object? named) && !Equals(named, method))
            throw new TinctorException($"{origin}: is a configuration of {named}, not of {method}");
        if (method is not null) settings["method"] = method;
        foreach (string setting in overrides ?? []) Override(settings, setting);
        // Methods have defaults of their own for settings that all have.
        RunConfig defaults = DefaultsOfMethod(settings, origin);
        var config = Resolve<RunConfig>(Overlaid(defaults, settings), origin, defaults.Model.GetType());
        RefuseCrop(config, origin);
        return config;
    }

    /// <summary>Reads the configuration of a supervised task.</summary>
    /// <param name="path">A YAML file, or null for the defaults.</param>
    /// <param name="overrides">Settings such as "training.lr=1e-3".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static TConfig Read<TConfig>(string? path, IEnumerable<string>? overrides = null) where TConfig : SupervisedConfig, new()
    {
        string origin = path ?? "the settings";
        // Tasks have defaults of their own for settings that all have.
        Settings settings = Overlaid(new TConfig(), path is null ? [] : Parse(ReadText(path), path));
        foreach (string setting in overrides ?? []) Override(settings, setting);
        return Resolve<TConfig>(settings, origin, typeof(MethodConfig));
    }

    /// <summary>Reads a model's configuration: the method's name and its settings.</summary>
    /// <exception cref="TinctorException">It is none.</exception>
    public static ModelConfig LoadModel(string path)
    {
        Settings settings = Parse(ReadText(path), path);
        return Resolve<ModelConfig>(settings, path, DefaultsOfMethod(settings, path).Model.GetType());
    }

    /// <summary>A model's configuration with some of its settings changed.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="overrides">Settings such as "model.objective=noise".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static ModelConfig With(ModelConfig config, IEnumerable<string> overrides)
    {
        const string origin = "the settings";
        Settings settings = Parse(Write(config), origin);
        foreach (string setting in overrides) Override(settings, setting);
        return Resolve<ModelConfig>(settings, origin, config.Model.GetType());
    }

    /// <summary>The configuration as YAML.</summary>
    public static string Write(object config) => new SerializerBuilder()
        .WithNamingConvention(UnderscoredNamingConvention.Instance)
        .WithEnumNamingConvention(LowerCaseNamingConvention.Instance)
        .WithTypeInspector(inspector => new WritableProperties(inspector))
        .Build().Serialize(config);

    private static string ReadText(string path)
    {
        using var reader = new StreamReader(InputFile.Open(path));
        return reader.ReadToEnd();
    }

    private static RunConfig DefaultsOfMethod(Settings settings, string origin)
    {
        string method = settings.TryGetValue("method", out object? named) ? $"{named}" : "pix2pix";
        return RunConfig.Methods.TryGetValue(method, out RunConfig? defaults) ? defaults
            : throw new TinctorException($"{origin}: there is no method '{method}'; "
                + $"known are {string.Join(", ", RunConfig.Methods.Keys)}");
    }

    private static Settings Parse(string yaml, string path)
    {
        try
        {
            return new DeserializerBuilder().Build().Deserialize<Settings?>(yaml) ?? [];
        }
        catch (YamlException e)
        {
            throw new TinctorException($"{path}: line {e.Start.Line} is no valid YAML: {e.Message}");
        }
    }

    private static Settings Overlaid(object defaults, Settings over)
    {
        Settings settings = Parse(Write(defaults), "the defaults");
        Overlay(settings, over);
        return settings;
    }

    private static void Overlay(Settings settings, Settings over)
    {
        foreach ((object key, object? value) in over)
        {
            if (value is Settings section && settings.GetValueOrDefault(key) is Settings below) Overlay(below, section);
            else if (value is not null) settings[key] = value;
        }
    }

    private static void Override(Settings settings, string setting)
    {
        int equals = setting.IndexOf('=');
        if (equals < 1)
            throw new TinctorException($"the setting {setting} is not of the form key=value, for example model.ngf=32") { Option = "Set" };
        string[] keys = setting[..equals].Trim().Split('.');
        foreach (string key in keys[..^1])
        {
            if (!settings.TryGetValue(key, out object? inner) || inner is not Settings) settings[key] = inner = new Settings();
            settings = (Settings)inner!;
        }
        settings[keys[^1]] = setting[(equals + 1)..].Trim();
    }

    private static T Resolve<T>(Settings settings, string origin, Type methodType)
    {
        Check(settings, typeof(T), "", origin, methodType);
        string yaml = new SerializerBuilder().Build().Serialize(settings);
        try
        {
            var config = new DeserializerBuilder()
                .WithNamingConvention(UnderscoredNamingConvention.Instance)
                .WithEnumNamingConvention(LowerCaseNamingConvention.Instance)
                .WithNodeTypeResolver(new MethodSettings(methodType))
                .Build().Deserialize<T>(yaml);
            Validate(config!, "", origin);
            return config;
        }
        catch (YamlException e)
        {
            RefuseMisfit(settings, typeof(T), "", origin, methodType);
            string line = yaml.Split('\n').ElementAtOrDefault((int)e.Start.Line - 1) ?? "";
            throw new TinctorException(origin, $"\"{line.Trim()}\" cannot be understood", null, e);
        }
    }

    // Names the first setting whose value does not fit its type.
    private static void RefuseMisfit(Settings settings, Type type, string prefix, string origin, Type methodType)
    {
        foreach (PropertyInfo property in Properties(type))
        {
            string key = UnderscoredNamingConvention.Instance.Apply(property.Name);
            if (!settings.TryGetValue(key, out object? value)) continue;
            Type inner = property.PropertyType == typeof(MethodConfig) ? methodType : property.PropertyType;
            inner = Nullable.GetUnderlyingType(inner) ?? inner;
            if (value is Settings section) RefuseMisfit(section, inner, $"{prefix}{key}.", origin, methodType);
            else if (value is string word && ExpectedBy(inner, word) is string expected)
                throw new TinctorException(origin, $"{prefix}{key} is {word}; expected {expected}") { Option = prefix + key };
        }
    }

    // Null if the word fits the type.
    private static string? ExpectedBy(Type type, string word)
    {
        if (type.IsEnum)
        {
            string[] names = [.. Enum.GetNames(type).Select(LowerCaseNamingConvention.Instance.Apply)];
            return names.Contains(word) ? null : $"{string.Join(", ", names[..^1])} or {names[^1]}";
        }
        if (type == typeof(bool)) return bool.TryParse(word, out _) ? null : "true or false";
        if (type == typeof(double)) return double.TryParse(word, CultureInfo.InvariantCulture, out _) ? null : "a number";
        return (type != typeof(int) && type != typeof(ulong)) || ulong.TryParse(word.TrimStart('-'), out _) ? null : "a whole number";
    }

    // Refuses what no setting is called. What stands empty keeps its default; a list may be written with commas, in brackets or without.
    private static void Check(Settings settings, Type type, string prefix, string origin, Type methodType)
    {
        Dictionary<string, PropertyInfo> known =
            Properties(type).ToDictionary(property => UnderscoredNamingConvention.Instance.Apply(property.Name));
        foreach ((object key, object? value) in settings.ToArray())
        {
            if (!known.TryGetValue($"{key}", out PropertyInfo? property))
                throw new TinctorException($"{origin}: there is no setting '{prefix}{key}'; "
                    + (Spelling.Closest($"{key}", known.Keys) is string meant ? $"did you mean {prefix}{meant}? " : "")
                    + $"known here are {string.Join(", ", known.Keys)}");
            Type inner = property.PropertyType == typeof(MethodConfig) ? methodType : property.PropertyType;
            if (value is null) settings.Remove(key);
            if (value is Settings section) Check(section, inner, $"{prefix}{key}.", origin, methodType);
            if (value is string text && inner != typeof(string) && inner.IsAssignableTo(typeof(IEnumerable)))
                settings[key] = text.Trim('[', ']').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }
    }

    private static void Validate(object config, string prefix, string origin)
    {
        foreach (PropertyInfo property in Properties(config.GetType()))
        {
            object? value = property.GetValue(config);
            string name = prefix + UnderscoredNamingConvention.Instance.Apply(property.Name);
            foreach (ValidationAttribute rule in property.GetCustomAttributes<ValidationAttribute>())
            {
                if (!rule.IsValid(value))
                    throw new TinctorException($"{origin}: {name} is {Convert.ToString(value, CultureInfo.InvariantCulture)}; "
                        + $"{Describe(rule)}");
            }
            if (value is not null and not string and not IEnumerable && value.GetType().Namespace!.StartsWith("Tinctor")
                && !value.GetType().IsEnum)
                Validate(value, name + ".", origin);
        }
    }

    private static void RefuseCrop(RunConfig config, string origin)
    {
        (int crop, int load, MethodConfig model) = (config.Data.CropSize, config.Data.LoadSize, config.Model);
        var rule = new CropRule(model);
        if (!rule.Allows(crop))
            throw new TinctorException(origin, $"data.crop_size is {crop}, but {rule.Describe()}", rule.Instead(crop))
            { Option = $"data.crop_size={rule.Nearest(crop)}" };
        if (load % model.Upscaling != 0)
            throw new TinctorException(origin, $"data.load_size is {load}, but must be a multiple of model.factor, {model.Upscaling}",
                $"Use data.load_size={(load + model.Upscaling - 1) / model.Upscaling * model.Upscaling}.");
        if (load > 0 && load < crop)
            throw new TinctorException(origin, $"data.load_size is {load}, smaller than data.crop_size, {crop}",
                $"Use data.load_size={(crop + model.Upscaling - 1) / model.Upscaling * model.Upscaling} or more, or 0 to keep image sizes.");
    }

    private static string Describe(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => $"it must lie between {range.Minimum} and {range.Maximum}",
        AllowedValuesAttribute allowed => $"it must be one of {string.Join(", ", allowed.Values)}",
        _ => rule.FormatErrorMessage("it"),
    };

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite
            && !property.IsDefined(typeof(YamlIgnoreAttribute)));

    // "model" is read as the settings of the method that "method" names.
    private sealed class MethodSettings(Type methodType) : INodeTypeResolver
    {
        public bool Resolve(YamlDotNet.Core.Events.NodeEvent? nodeEvent, ref Type currentType)
        {
            if (currentType != typeof(MethodConfig)) return false;
            currentType = methodType;
            return true;
        }
    }

    // Computed properties are no settings.
    private sealed class WritableProperties(ITypeInspector inner) : YamlDotNet.Serialization.TypeInspectors.TypeInspectorSkeleton
    {
        public override IEnumerable<IPropertyDescriptor> GetProperties(Type type, object? container) =>
            inner.GetProperties(type, container).Where(property => property.CanWrite);

        public override string GetEnumName(Type enumType, string name) => inner.GetEnumName(enumType, name);

        public override string GetEnumValue(object enumValue) => inner.GetEnumValue(enumValue);
    }
}

/// <summary>The config.yaml of a model folder.</summary>
public sealed record ModelConfig
{
    /// <summary>The method's name.</summary>
    public string Method { get; init; } = "pix2pix";

    /// <summary>The method's settings.</summary>
    public MethodConfig Model { get; init; } = new Methods.Pix2Pix.Pix2PixConfig();

    /// <summary>The colours that images were brought to before training, where they were.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfiles? Stains { get; init; }
}
