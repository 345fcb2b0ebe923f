using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Polygraph.Wire.Sql;

/// <summary>
/// Durations as people write them everywhere in Polygraph: a whole number and its unit, <c>350us</c>, <c>500ms</c>, <c>5s</c>,
/// <c>10min</c>, <c>2h</c>. A number without a unit is refused: nobody should have to guess.
/// </summary>
public static class DurationText
{
    private const string Rule = "a whole number and its unit, such as 500ms, 5s, 10min or 2h";

    // Longest unit name first: "ms" must not be read as a number that ends in "m" and the unit "s".
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("min", TimeSpan.TicksPerMinute),
        ("us", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>Parses a duration, or says what is wrong with it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration, [NotNullWhen(false)] out string? error)
    {
        duration = default;
        var trimmed = text.Trim();
        foreach (var (unit, ticks) in Units)
        {
            if (!trimmed.EndsWith(unit, StringComparison.Ordinal))
                continue;

            var number = trimmed[..^unit.Length];
            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                break;
            if (count > TimeSpan.MaxValue.Ticks / ticks)
            {
                error = $"The duration '{text}' is too long.";
                return false;
            }

            duration = TimeSpan.FromTicks(count * ticks);
            error = null;
            return true;
        }

        error = $"'{text}' is not a duration: write {Rule}.";
        return false;
    }

    /// <summary>The duration in the largest unit that states it exactly, to the microsecond; what is finer is cut off.</summary>
    public static string Format(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        if (duration == TimeSpan.Zero)
            return "0s";

        ReadOnlySpan<(string Unit, long Ticks)> largestFirst = [Units[4], Units[0], Units[3], Units[2]];
        foreach (var (unit, ticks) in largestFirst)
            if (duration.Ticks % ticks == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks}{unit}");
        return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / TimeSpan.TicksPerMicrosecond}us");
    }
}
