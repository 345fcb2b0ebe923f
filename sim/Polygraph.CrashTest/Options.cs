using System.Globalization;
using Polygraph.CrashTest.Script;

namespace Polygraph.CrashTest;

/// <summary>What is tried. The defaults fit a build; <c>--all</c> leaves nothing out.</summary>
internal sealed record Options
{
    /// <summary>Only each n-th operation is tried at all.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Each n-th crash is followed by crashes at every operation of its recovery.</summary>
    public int RecoveryStride { get; init; } = 97;

    /// <summary>Each n-th operation fails once as a broken device does, and once as a full disk does.</summary>
    public int FaultStride { get; init; } = 5;

    /// <summary>The power is lost after each n-th operation.</summary>
    public int PowerStride { get; init; } = 7;

    /// <summary>Disks looked at after a power loss.</summary>
    public int Survivors { get; init; } = 2;

    /// <summary>Only this operation.</summary>
    public int? Only { get; init; }

    /// <summary>In the middle of it.</summary>
    public bool OnlyTorn { get; init; }

    /// <summary>Only runs the script and prints how many operations it made.</summary>
    public bool CountOnly { get; init; }

    /// <summary>A bug that is put in on purpose.</summary>
    public Planted Planted { get; init; }

    public const string Usage = """
        Kills the storage engine at every write, sync, rename, truncation and removal of a script, and checks what recovery makes of it.

          --all            every crash is followed by crashes at every operation of its recovery; power losses after every operation
          --every N        only each n-th operation
          --only N[t]      one operation; with t in the middle of it
          --count          only runs the script and prints its operations, for comparison with strace
          --planted NAME   with a bug on purpose: AckBeforeWrite, NoRecovery, CheckpointWithoutMarker, LogSyncsLie, DirectorySyncsLie
        """;

    /// <exception cref="ArgumentException">Something is not an option.</exception>
    public static Options Parse(string[] arguments)
    {
        var options = new Options();
        for (var i = 0; i < arguments.Length; i++)
        {
            options = arguments[i] switch
            {
                "--all" => options with { RecoveryStride = 1, PowerStride = 1, FaultStride = 1, Survivors = 6 },
                "--count" => options with { CountOnly = true },
                "--every" when i + 1 < arguments.Length => options with { Stride = int.Parse(arguments[++i], CultureInfo.InvariantCulture) },
                "--only" when i + 1 < arguments.Length => WithOnly(options, arguments[++i]),
                "--planted" when i + 1 < arguments.Length => options with { Planted = Enum.Parse<Planted>(arguments[++i]) },
                _ => throw new ArgumentException($"'{arguments[i]}' is not an option.\n\n{Usage}"),
            };
        }

        return options;
    }

    private static Options WithOnly(Options options, string text)
        => options with { Only = int.Parse(text.TrimEnd('t'), CultureInfo.InvariantCulture), OnlyTorn = text.EndsWith('t') };
}
