using System.CommandLine;
using Spectre.Console;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor settings METHOD</c>: lists the settings of a training.</summary>
internal static class SettingsCommand
{
    private const string Description = """
        List the settings of a method: key, type, range, default and meaning. 'tinctor train' takes them by --set KEY=VALUE or from a YAML
        file by --config.

        Examples:
          tinctor settings pix2pix
          tinctor settings derestainer --filter crop           settings whose key or meaning has this word
          tinctor settings classifier
        """;

    private static readonly Argument<string> Method = new("method") { Description = "Method" };
    private static readonly Option<string?> Filter =
        new("--filter") { Description = "Show settings with this word in key or meaning", HelpName = "WORD" };

    public static Command Create()
    {
        Method.Among([.. SettingsCatalog.Names]);
        var command = new Command("settings", MethodNames.AddTo(Description, SettingsCatalog.Names)) { Method, Filter };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string? word = parse.GetValue(Filter);
        Setting[] settings = [.. SettingsCatalog.List(parse.GetRequiredValue(Method)).Where(setting => word is null
            || setting.Key.Contains(word, StringComparison.OrdinalIgnoreCase)
            || setting.Meaning.Contains(word, StringComparison.OrdinalIgnoreCase))];
        if (settings.Length == 0) throw new TinctorException($"no setting has the word '{word}'. Leave out --filter.");
        var table = new Table { Border = TableBorder.None };
        foreach (string heading in (string[])["Setting", "Default", "Type and range", "Meaning"])
            table.AddColumn(heading, column => column.PadRight(2).NoWrap = heading is "Setting" or "Default");
        foreach (Setting setting in settings)
            table.AddRow(new Text(setting.Key), new Text(setting.Default.Length == 0 ? "-" : setting.Default), new Text(setting.Type),
                new Text(setting.Meaning));
        Terminal.Results.Write(table);
        return 0;
    }
}
