using System.Globalization;

namespace Polygraph.Cli.Output;

/// <summary>How many there are of something, in words.</summary>
internal static class CountText
{
    /// <summary><c>1 row</c>, <c>2 rows</c>, <c>10,000 rows</c>: whatever is counted here has a plural with an s, or names it.</summary>
    public static string Of(long count, string one, string? many = null)
        => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many ?? one + "s")}");
}
