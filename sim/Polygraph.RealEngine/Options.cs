using System.Globalization;

namespace Polygraph.RealEngine;

/// <summary>What the command line asks for.</summary>
/// <param name="First">The first seed.</param>
/// <param name="Count">How many seeds.</param>
/// <param name="Trace">Whether every step is written out.</param>
internal sealed record Options(ulong First, int Count, bool Trace)
{
    public const string Usage = """
        Runs the simulator's histories with the real storage engine under every node: log, vote, SQLite, checkpoints, snapshots, recovery.

          --seeds N       how many seeds; 50 if not said
          --first SEED    the first of them; 1 if not said
          --seed SEED     one seed
          --trace         every step of it, in words
        """;

    /// <exception cref="ArgumentException">Something is not an option.</exception>
    public static Options Parse(IReadOnlyList<string> arguments)
    {
        var options = new Options(1, 50, false);
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--trace")
            {
                options = options with { Trace = true };
                continue;
            }

            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            options = arguments[i++] switch
            {
                "--seeds" when int.TryParse(value, CultureInfo.InvariantCulture, out var count) && count > 0 => options with { Count = count },
                "--first" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var first) => options with { First = first },
                "--seed" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { First = seed, Count = 1 },
                var option => throw new ArgumentException($"'{option} {value}' is not understood.\n\n{Usage}"),
            };
        }

        return options;
    }
}
