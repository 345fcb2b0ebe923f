using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Polygraph.Node.Http;

/// <summary>A lag as text: a whole number of log entries.</summary>
internal static class EntryCount
{
    public static bool TryParse(ReadOnlySpan<char> text, out ulong entries, [NotNullWhen(false)] out string? error)
    {
        var known = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out entries);
        error = known ? null : $"'{text}' is not a number of log entries, such as 1000.";
        return known;
    }
}
