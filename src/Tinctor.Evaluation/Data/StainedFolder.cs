namespace Tinctor.Evaluation.Data;

/// <summary>Folder with the output images of one model.</summary>
/// <param name="Name">Name of the model in reports and files; <see cref="ScoredMethod.Model"/> for a single model without a name.</param>
/// <param name="Path">The folder.</param>
public sealed record StainedFolder(string Name, string Path)
{
    /// <summary>Reads <c>NAME=DIR</c>, or <c>DIR</c> for a single model without a name.</summary>
    /// <exception cref="TinctorException">The name is empty or reserved for a baseline.</exception>
    public static StainedFolder Parse(string text)
    {
        int equals = text.IndexOf('=');
        if (equals < 0 || Directory.Exists(text)) return new(ScoredMethod.Model, text);
        string name = text[..equals].Trim();
        if (name is "" or ScoredMethod.Identity or ScoredMethod.MeanColour)
            throw new TinctorException(text, $"\"{name}\" cannot be the name of a model", "Write NAME=DIR with another name");
        return new(name, text[(equals + 1)..]);
    }

    /// <summary>Name of the model for people: its own, or "Stained".</summary>
    internal string Title => Name == ScoredMethod.Model ? "Stained" : Name;
}
