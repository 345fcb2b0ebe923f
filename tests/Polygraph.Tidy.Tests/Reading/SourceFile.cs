namespace Polygraph.Tidy.Tests.Reading;

/// <summary>One text file, and the same text with comments and strings blanked out, so that a rule looks at code only.</summary>
/// <param name="Path">From the root of the repository, with forward slashes.</param>
/// <param name="Text">As it is on the disk.</param>
internal sealed record SourceFile(string Path, string Text)
{
    private string? _code;

    /// <summary>The text without comments, strings and characters; what is left stands where it stood.</summary>
    public string Code => _code ??= CodeOnly.Of(Text);

    /// <summary>The name of the project that the file belongs to: the second part of its path.</summary>
    public string Project => Path.Split('/') is [_, var project, _, ..] ? project : "";

    public bool IsUnder(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>How many lines there are; a final line feed does not begin another.</summary>
    public int LineCount => Text.Length == 0 ? 0 : Text.AsSpan().TrimEnd('\n').Count('\n') + 1;

    /// <summary>The line, from 1, in which a place of the text lies.</summary>
    public int LineAt(int offset) => Text.AsSpan(0, offset).Count('\n') + 1;

    public Finding Found(int offset, string what) => new(Path, LineAt(offset), what);
}

/// <summary>Something that a rule does not allow.</summary>
internal readonly record struct Finding(string Path, int Line, string What)
{
    public override string ToString() => $"{Path}:{Line}: {What}";
}
