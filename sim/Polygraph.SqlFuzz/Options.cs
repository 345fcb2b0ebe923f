using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Polygraph.Storage.Capture;

namespace Polygraph.SqlFuzz;

/// <summary>What the command line asks for.</summary>
/// <param name="Statements">How many statements in all.</param>
/// <param name="Seed">The first seed; each database has the next one.</param>
/// <param name="PerDatabase">Statements of one database.</param>
/// <param name="Plant">A mistake for the leader's capture to make, to see it found.</param>
/// <param name="WithoutWatch">Whether replicas do without SQLite's preupdate hook; then they are compared among themselves only.</param>
/// <param name="Url">A node of a running cluster; null: a cluster in this process.</param>
internal sealed record Options(int Statements, ulong Seed, int PerDatabase, CaptureFault Plant, bool WithoutWatch, Uri? Url)
{
    public const string Usage = "usage: Polygraph.SqlFuzz [--statements COUNT] [--seed SEED] [--per-database COUNT] [--plant MISTAKE] [--watch off] [--url http://127.0.0.1:7001]";

    private const int PerDatabaseDefault = 200;

    public static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out Options? options, out string complaint)
    {
        var result = new Options(10_000, 1, PerDatabaseDefault, CaptureFault.None, false, null);
        (options, complaint) = (null, "");
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--statements" when int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0:
                    result = result with { Statements = number };
                    break;
                case "--seed" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var number):
                    result = result with { Seed = number };
                    break;
                case "--per-database" when int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0:
                    result = result with { PerDatabase = number };
                    break;
                case "--plant" when Enum.TryParse<CaptureFault>(value, ignoreCase: true, out var fault):
                    result = result with { Plant = fault };
                    break;
                case "--watch" when value == "off":
                    result = result with { WithoutWatch = true };
                    break;
                case "--url" when Uri.TryCreate(value, UriKind.Absolute, out var url):
                    result = result with { Url = url };
                    break;
                default:
                    complaint = $"'{arguments[i]} {value}' is not understood.";
                    return false;
            }
        }

        options = result;
        return true;
    }
}
