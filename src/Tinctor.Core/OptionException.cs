namespace Tinctor.Core;

/// <summary>Value of an option that is not allowed, alone or together with other options.</summary>
public sealed class OptionException : TinctorException
{
    /// <summary>Creates an exception.</summary>
    /// <param name="option">Name of the property of the options record; use <c>nameof</c>.</param>
    /// <param name="problem">What is wrong with its value: the value found and the values allowed.</param>
    /// <param name="remedy">What the user can do, as a sentence; null if the problem says it.</param>
    public OptionException(string option, string problem, string? remedy = null)
        : base(null, problem, remedy) => Option = option;
}
