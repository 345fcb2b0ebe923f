using System.Globalization;

namespace Polygraph.Cli.Hosting;

/// <summary>Sizes as people write them: <c>500000</c>, <c>64KiB</c>, <c>1GiB</c>.</summary>
public static class ByteText
{
    private static readonly (string Suffix, int Shift)[] Units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0)];

    /// <exception cref="CommandFailedException">It is not a size, or not a positive one.</exception>
    public static long Parse(string option, string text)
    {
        var (suffix, shift) = Units.FirstOrDefault(unit => text.EndsWith(unit.Suffix, StringComparison.Ordinal), (Suffix: "", Shift: 0));
        if (long.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 && number <= long.MaxValue >> shift)
        {
            return number << shift;
        }

        throw new CommandFailedException($"{option}: '{text}' is not a size.", "For example 500000, 64KiB, 256MiB or 1GiB.", ExitCode.Usage);
    }
}
