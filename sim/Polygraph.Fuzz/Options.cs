using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz;

/// <summary>What the command line asks for.</summary>
/// <param name="Inputs">How many inputs in all.</param>
/// <param name="Seed">The first seed; each batch of inputs has the next one.</param>
/// <param name="Only">The only format to be fuzzed; null: all of them.</param>
/// <param name="Cores">How many threads.</param>
/// <param name="Duration">When to stop although inputs are left; null: not before.</param>
/// <param name="IsLive">Whether a running node is attacked over its ports, instead of its readers in this process.</param>
internal sealed record Options(long Inputs, ulong Seed, string? Only, int Cores, TimeSpan? Duration, bool IsLive = false)
{
    public const string Usage = "usage: Polygraph.Fuzz [--inputs COUNT] [--seed SEED] [--only FORMAT] [--cores COUNT] [--minutes COUNT]\n   or: Polygraph.Fuzz --live COUNT [--seed SEED]";

    public static readonly Options Default = new(1_000_000, 1, null, 1, null);

    public static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out Options? options, out string complaint)
    {
        var result = Default;
        (options, complaint) = (null, "");
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--inputs" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0:
                    result = result with { Inputs = number };
                    break;
                case "--live" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0:
                    result = result with { Inputs = number, IsLive = true };
                    break;
                case "--seed" when ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number):
                    result = result with { Seed = number };
                    break;
                case "--only" when AllFormats.Find(value) is not null:
                    result = result with { Only = value };
                    break;
                case "--cores" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 256:
                    result = result with { Cores = number };
                    break;
                case "--minutes" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 100_000:
                    result = result with { Duration = TimeSpan.FromMinutes(number), Inputs = long.MaxValue / 2 };
                    break;
                default:
                    complaint = $"'{arguments[i]} {value}' is not understood. Formats: {string.Join(", ", AllFormats.List.Select(format => format.Name))}.";
                    return false;
            }
        }

        options = result;
        return true;
    }
}
