#if POLYGRAPH_PLANTED_BUGS
namespace Polygraph.Protocol;

/// <summary>
/// The mistake that is switched on in this thread. Exists only in assemblies that are built with <c>PlantedBugs=true</c>; the lines that name a
/// mistake are calls of partial methods, which a compiler drops, with their arguments, where nothing implements them.
/// </summary>
public static class BugSwitch
{
    [ThreadStatic]
    private static string? _on;

    [ThreadStatic]
    private static long _taken;

    /// <summary>The name of the one mistake that is made in this thread; null for none. Set before a history begins.</summary>
    public static string? On
    {
        get => _on;
        set => (_on, _taken) = (value, 0);
    }

    /// <summary>How often the mistake that is on changed something since it was switched on.</summary>
    public static long Taken => _taken;

    /// <summary>Puts <paramref name="wrong"/> in the place of <paramref name="value"/> if <paramref name="bug"/> is on.</summary>
    public static void Replace<T>(string bug, ref T value, T wrong)
    {
        if (_on != bug)
            return;
        if (!EqualityComparer<T>.Default.Equals(value, wrong))
            _taken++;
        value = wrong;
    }

    /// <summary>Whether <paramref name="bug"/> is on; counts as taken.</summary>
    public static bool Take(string bug)
    {
        if (_on != bug)
            return false;
        _taken++;
        return true;
    }
}
#endif
