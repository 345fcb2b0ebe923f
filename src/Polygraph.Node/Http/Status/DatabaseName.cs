namespace Polygraph.Node.Http;

/// <summary>
/// The name of a database: 1 to 64 of <c>a–z 0–9 _ -</c>, a letter first. Names that begin with <c>_</c> belong to Polygraph. The same on
/// every file system and in every URL, so a name needs no escaping anywhere.
/// </summary>
public static class DatabaseName
{
    /// <summary>The database that requests without a name mean.</summary>
    public const string Default = "main";

    public const int LengthMax = 64;

    /// <summary>Whether a database of this name may exist; Polygraph's own included.</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Length > LengthMax || !(char.IsAsciiLetterLower(name[0]) || name[0] == '_'))
            return false;

        foreach (var character in name)
            if (!char.IsAsciiLetterLower(character) && !char.IsAsciiDigit(character) && character is not ('_' or '-'))
                return false;
        return true;
    }

    /// <summary>Whether a user may create or drop a database of this name.</summary>
    public static bool IsForUsers(ReadOnlySpan<char> name) => IsValid(name) && name[0] != '_';

    /// <summary>The rule, for an error message.</summary>
    public const string Rule = "A database's name is 1 to 64 of a-z, 0-9, '_' and '-', beginning with a letter.";
}
