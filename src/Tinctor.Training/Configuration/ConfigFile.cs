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

/// <summary>Reads, validates and writes config.yaml, and applies key=value overrides.</summary>
public static class ConfigFile
{
    // Behaviour of runs that were started before a setting existed, where the default of a method now differs.
    private static readonly Dictionary<string, string> EarlierDefaults = new()
    {
        ["training.schedule"] = "linear",
        ["data.blank_limit"] = "0",
        ["data.distortion"] = "0",
        ["data.resized_crop"] = "0",
        ["data.balance"] = "false",
        ["model.z_score"] = "crop",
        ["model.alignment"] = "literal",
    };

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">YAML file; null for the defaults.</param>
    /// <param name="method">Name of the method; null for the method in the file.</param>
    /// <param name="overrides">Settings such as "model.ngf=32" or "training.epochs=10".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static RunConfig Load(string? path, string? method = null, IEnumerable<string>? overrides = null)
    {
        return LoadText(path is null ? "" : ReadText(path), method, overrides, path);
    }

    /// <summary>Reads the configuration of a run folder, which names all settings of the version that wrote it.</summary>
    /// <param name="path">YAML file.</param>
    /// <param name="namesMethod">Whether the file names a method; files of early versions may not, and mean pix2pix.</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    internal static RunConfig LoadRun(string path, out bool namesMethod)
    {
        string text = ReadText(path);
        Settings settings = Parse(text, path);
        namesMethod = settings.ContainsKey("method");
        Type model = DefaultsOfMethod(settings, path).Model.GetType();
        return LoadText(text, null, EarlierDefaults
            .Where(setting => !Contains(settings, setting.Key) && IsSetting(setting.Key, model))
            .Select(setting => $"{setting.Key}={setting.Value}"), path);
    }

    // Methods have settings of their own under "model".
    private static bool IsSetting(string key, Type model) => !key.StartsWith("model.", StringComparison.Ordinal)
        || Properties(model).Any(property => KeyOf(property.Name) == key["model.".Length..]);

    private static bool Contains(Settings settings, string key)
    {
        string[] keys = key.Split('.');
        object? inner = settings;
        return keys.All(each => inner is Settings section && section.TryGetValue(each, out inner));
    }

    /// <summary>Reads the text of a configuration.</summary>
    /// <param name="yaml">YAML; may be empty.</param>
    /// <param name="method">Name of the method; null for the method in the text.</param>
    /// <param name="overrides">Settings such as "model.ngf=32".</param>
    /// <param name="origin">File named in errors; null for none.</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static RunConfig LoadText(string yaml, string? method, IEnumerable<string>? overrides, string? origin = null)
    {
        Settings settings = Parse(yaml, origin);
        if (settings.TryGetValue("task", out object? task))
            throw new TinctorException(origin, $"the configuration is of a {task}, expected a staining method", $"Train a {task} with it");
        if (method is not null && settings.TryGetValue("method", out object? named) && !Equals(named, method))
            throw new TinctorException(origin, $"the configuration is of method {named}, expected {method}", $"Train {named} with it");
        if (method is not null) settings["method"] = method;
        foreach (string setting in overrides ?? []) Override(settings, setting);
        // Methods have their own defaults of common settings.
        RunConfig defaults = DefaultsOf(settings, origin);
        var config = Resolve<RunConfig>(Overlaid(defaults, settings), origin, defaults.Model.GetType());
        CheckCrop(config, origin);
        CheckPairing(config, origin);
        CheckEpochs(config.Training, origin);
        return config;
    }

    /// <summary>Reads the configuration of a supervised task.</summary>
    /// <param name="path">YAML file; null for the defaults.</param>
    /// <param name="overrides">Settings such as "training.lr=1e-3".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static TConfig Read<TConfig>(string? path, IEnumerable<string>? overrides = null) where TConfig : SupervisedConfig, new()
    {
        // Tasks have their own defaults of common settings.
        Settings settings = Overlaid(new TConfig(), path is null ? [] : Parse(ReadText(path), path));
        foreach (string setting in overrides ?? []) Override(settings, setting);
        return Resolve<TConfig>(settings, path, typeof(MethodConfig));
    }

    /// <summary>Reads a record of settings that has nothing in common with those of training.</summary>
    /// <param name="path">YAML file; null for the defaults.</param>
    /// <param name="overrides">Settings such as "mpp=0.5".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    internal static T ReadRecord<T>(string? path, IEnumerable<string> overrides)
    {
        Settings settings = path is null ? [] : Parse(ReadText(path), path);
        foreach (string setting in overrides) Override(settings, setting);
        return Resolve<T>(settings, path, typeof(MethodConfig));
    }

    /// <summary>Gets the key of a property in YAML.</summary>
    internal static string KeyOf(string property) => UnderscoredNamingConvention.Instance.Apply(property);

    /// <summary>Reads the configuration of a model: the method and its settings.</summary>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static ModelConfig LoadModel(string path)
    {
        Settings settings = Parse(ReadText(path), path);
        return Resolve<ModelConfig>(settings, path, DefaultsOfMethod(settings, path).Model.GetType());
    }

    /// <summary>Changes settings of a model's configuration.</summary>
    /// <param name="config">Configuration to change.</param>
    /// <param name="overrides">Settings such as "model.objective=noise".</param>
    /// <exception cref="TinctorException">A setting is unknown, malformed or out of range.</exception>
    public static ModelConfig With(ModelConfig config, IEnumerable<string> overrides)
    {
        Settings settings = Parse(Write(config), origin: null);
        foreach (string setting in overrides) Override(settings, setting);
        return Resolve<ModelConfig>(settings, origin: null, config.Model.GetType());
    }

    /// <summary>Formats a configuration as YAML.</summary>
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

    private static RunConfig DefaultsOfMethod(Settings settings, string? origin)
    {
        string method = settings.TryGetValue("method", out object? named) ? $"{named}" : "pix2pix";
        return RunConfig.Methods.TryGetValue(method, out RunConfig? defaults) ? defaults
            : throw new TinctorException(origin, $"there is no method {method}",
                (Spelling.Closest(method, RunConfig.Methods.Keys) is string close ? $"Did you mean {close}? " : "")
                + $"The methods are {string.Join(", ", RunConfig.Methods.Keys)}");
    }

    // A variant may have its own defaults, and a length in epochs replaces a default in steps.
    private static RunConfig DefaultsOf(Settings settings, string? origin)
    {
        RunConfig defaults = DefaultsOfMethod(settings, origin);
        if (Section("model").TryGetValue("variant", out object? variant))
            defaults = defaults with { Model = defaults.Model.WithDefaultsOf($"{variant}") };
        Settings training = Section("training");
        bool epochs = training.ContainsKey("epochs") || training.ContainsKey("epochs_decay");
        return epochs && !training.ContainsKey("steps") ? defaults with { Training = defaults.Training with { Steps = 0 } } : defaults;

        Settings Section(string name) => settings.GetValueOrDefault(name) as Settings ?? [];
    }

    private static Settings Parse(string yaml, string? origin)
    {
        try
        {
            return new DeserializerBuilder().Build().Deserialize<Settings?>(yaml) ?? [];
        }
        catch (YamlException e)
        {
            throw new TinctorException(origin, $"line {e.Start.Line} is not valid YAML ({e.Message})", "Correct the line", e);
        }
    }

    private static Settings Overlaid(object defaults, Settings over)
    {
        Settings settings = Parse(Write(defaults), origin: null);
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
        {
            throw new TinctorException(null, $"the setting is {setting}, expected the form key=value",
                "Write a setting such as model.ngf=32")
            { Option = "Set" };
        }
        string[] keys = setting[..equals].Trim().Split('.');
        foreach (string key in keys[..^1])
        {
            if (!settings.TryGetValue(key, out object? inner) || inner is not Settings) settings[key] = inner = new Settings();
            settings = (Settings)inner!;
        }
        settings[keys[^1]] = setting[(equals + 1)..].Trim();
    }

    private static T Resolve<T>(Settings settings, string? origin, Type methodType)
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
            CheckTypes(settings, typeof(T), "", origin, methodType);
            string line = yaml.Split('\n').ElementAtOrDefault((int)e.Start.Line - 1) ?? "";
            throw new TinctorException(origin, $"the setting \"{line.Trim()}\" is malformed", "Correct its value", e);
        }
    }

    // Throws for the first setting whose value has the wrong type.
    private static void CheckTypes(Settings settings, Type type, string prefix, string? origin, Type methodType)
    {
        foreach (PropertyInfo property in Properties(type))
        {
            string key = UnderscoredNamingConvention.Instance.Apply(property.Name);
            if (!settings.TryGetValue(key, out object? value)) continue;
            Type inner = property.PropertyType == typeof(MethodConfig) ? methodType : property.PropertyType;
            inner = Nullable.GetUnderlyingType(inner) ?? inner;
            if (value is Settings section) CheckTypes(section, inner, $"{prefix}{key}.", origin, methodType);
            else if (value is string word && ExpectedBy(inner, word) is string expected)
                throw new TinctorException(origin, $"{prefix}{key} is {word}; expected {expected}") { Option = prefix + key };
        }
    }

    // Expected values of a type; null if the word is one of them.
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

    // Throws for unknown settings. Empty settings keep their defaults; lists may be written with commas, with or without brackets.
    private static void Check(Settings settings, Type type, string prefix, string? origin, Type methodType)
    {
        Dictionary<string, PropertyInfo> known =
            Properties(type).ToDictionary(property => UnderscoredNamingConvention.Instance.Apply(property.Name));
        foreach ((object key, object? value) in settings.ToArray())
        {
            if (!known.TryGetValue($"{key}", out PropertyInfo? property))
                throw new TinctorException(origin, $"there is no setting {prefix}{key}",
                    (Spelling.Closest($"{key}", known.Keys) is string close ? $"Did you mean {prefix}{close}? " : "")
                    + $"The settings {(prefix.Length > 0 ? $"under {prefix.TrimEnd('.')} " : "")}are {string.Join(", ", known.Keys)}");
            Type inner = property.PropertyType == typeof(MethodConfig) ? methodType : property.PropertyType;
            if (value is null) settings.Remove(key);
            if (value is Settings section) Check(section, inner, $"{prefix}{key}.", origin, methodType);
            if (value is string text && inner != typeof(string) && inner.IsAssignableTo(typeof(IEnumerable)))
                settings[key] = text.Trim('[', ']').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }
    }

    private static void Validate(object config, string prefix, string? origin)
    {
        foreach (PropertyInfo property in Properties(config.GetType()))
        {
            object? value = property.GetValue(config);
            string name = prefix + UnderscoredNamingConvention.Instance.Apply(property.Name);
            foreach (ValidationAttribute rule in property.GetCustomAttributes<ValidationAttribute>())
            {
                if (!rule.IsValid(value))
                {
                    throw new TinctorException(origin,
                        $"{name} is {Convert.ToString(value, CultureInfo.InvariantCulture)}, expected {Describe(rule)}")
                    { Option = name };
                }
            }
            if (value is not null and not string and not IEnumerable && value.GetType().Namespace!.StartsWith("Tinctor")
                && !value.GetType().IsEnum)
                Validate(value, name + ".", origin);
        }
    }

    private static void CheckCrop(RunConfig config, string? origin)
    {
        (int crop, int load, MethodConfig model) = (config.Data.CropSize, config.Data.LoadSize ?? 0, config.Model);
        string preprocess = config.Data.Preprocess;
        if (config.Data.ScalesWidth && load == 0)
            throw new TinctorException(origin, $"data.preprocess is {preprocess}, but data.load_size, the width, is not set",
                $"Use data.load_size={crop} or another width");
        if (preprocess is "crop" or "none" && load > 0)
            throw new TinctorException(origin, $"data.load_size is {load}, but data.preprocess={preprocess} keeps the size",
                "Use data.load_size=0, or data.preprocess=resize_and_crop");
        var rule = new CropRule(model);
        if (!config.Data.UsesWholeImages && !rule.Allows(crop))
            throw new TinctorException(origin, $"data.crop_size is {crop}, but {rule.Describe()}", rule.Advise(crop))
            { Option = $"data.crop_size={rule.Nearest(crop)}" };
        if (load % model.Upscaling != 0)
            throw new TinctorException(origin, $"data.load_size is {load}, expected a multiple of model.factor ({model.Upscaling})",
                $"Use data.load_size={(load + model.Upscaling - 1) / model.Upscaling * model.Upscaling}.");
        if (load > 0 && load < crop && preprocess != "scale_width")
            throw new TinctorException(origin, $"data.load_size is {load}, smaller than data.crop_size ({crop})",
                $"Use data.load_size={(crop + model.Upscaling - 1) / model.Upscaling * model.Upscaling} or more, or 0 to keep sizes.");
    }

    private static void CheckEpochs(TrainingConfig training, string? origin)
    {
        if (training.TotalEpochs >= 1) return;
        throw new TinctorException(origin, $"training.epoch_count is {training.EpochCount}, larger than training.epochs plus "
            + $"training.epochs_decay ({training.Epochs + training.EpochsDecay})", "Use more epochs, or training.epoch_count=1")
        { Option = "training.epoch_count" };
    }

    private static void CheckPairing(RunConfig config, string? origin)
    {
        if (!config.Data.Unpaired || config.Model.AcceptsUnpaired) return;
        string others = string.Join(", ", RunConfig.Methods.Values.Where(each => each.Model.AcceptsUnpaired).Select(each => each.Method));
        throw new TinctorException(origin, $"data.unpaired is true, but the method {config.Method} needs pairs",
            "Use data.unpaired=false" + (others.Length > 0 ? $", or one of the methods {others}" : ""))
        { Option = "data.unpaired" };
    }

    private static string Describe(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => $"{range.Minimum} to {range.Maximum}",
        AllowedValuesAttribute allowed => string.Join(", ", allowed.Values.Select(value => value is "" ? "empty" : $"{value}")),
        RegularExpressionAttribute pattern => pattern.ErrorMessage!,
        _ => rule.FormatErrorMessage("another value"),
    };

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite
            && !property.IsDefined(typeof(YamlIgnoreAttribute)));

    // The type of "model" depends on "method".
    private sealed class MethodSettings(Type methodType) : INodeTypeResolver
    {
        public bool Resolve(YamlDotNet.Core.Events.NodeEvent? nodeEvent, ref Type currentType)
        {
            if (currentType != typeof(MethodConfig)) return false;
            currentType = methodType;
            return true;
        }
    }

    // Excludes computed properties.
    private sealed class WritableProperties(ITypeInspector inner) : YamlDotNet.Serialization.TypeInspectors.TypeInspectorSkeleton
    {
        public override IEnumerable<IPropertyDescriptor> GetProperties(Type type, object? container) =>
            inner.GetProperties(type, container).Where(property => property.CanWrite);

        public override string GetEnumName(Type enumType, string name) => inner.GetEnumName(enumType, name);

        public override string GetEnumValue(object enumValue) => inner.GetEnumValue(enumValue);
    }
}

/// <summary>Configuration of a model: config.yaml of a model folder.</summary>
public sealed record ModelConfig
{
    /// <summary>Name of the method.</summary>
    public string Method { get; init; } = "pix2pix";

    /// <summary>AtoB or BtoA: data.direction of the training.</summary>
    [AllowedValues("AtoB", "BtoA")]
    public string Direction { get; init; } = "AtoB";

    /// <summary>Settings of the method.</summary>
    public MethodConfig Model { get; init; } = new Methods.Pix2Pix.Pix2PixConfig();

    /// <summary>Stain profiles to which the training images were normalised; null for none.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfiles? Stains { get; init; }
}
