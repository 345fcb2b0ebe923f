using System.Diagnostics.CodeAnalysis;
using Polygraph.Protocol;

namespace Polygraph.Wire.Sql;

/// <summary>Read levels as text, the same in HTTP headers, connection strings and the command line.</summary>
public static class ReadLevelText
{
    /// <summary>Parses a read level, or says what is wrong with it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ReadLevel level, [NotNullWhen(false)] out string? error)
    {
        (level, var known) = text.Trim() switch
        {
            "linearizable" => (ReadLevel.Linearizable, true),
            "session" => (ReadLevel.Session, true),
            "bounded" => (ReadLevel.Bounded, true),
            "any" => (ReadLevel.Any, true),
            "local" => (ReadLevel.Local, true),
            _ => (default, false),
        };
        error = known ? null : $"'{text}' is not a read level: use linearizable, session, bounded, any or local.";
        return known;
    }

    /// <summary>The level's name, as <see cref="TryParse"/> reads it.</summary>
    public static string Format(ReadLevel level)
        => level switch
        {
            ReadLevel.Linearizable => "linearizable",
            ReadLevel.Session => "session",
            ReadLevel.Bounded => "bounded",
            ReadLevel.Any => "any",
            ReadLevel.Local => "local",
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Unknown read level."),
        };
}
