using System.Globalization;

namespace Polygraph.Cluster.Tests.Performance;

/// <summary>What the kernel says of a process. Linux only.</summary>
internal static class ProcessFigures
{
    /// <summary>Ticks of CPU time in a second: what Linux shows to programs, whatever its own clock does.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>CPU time that a process has used, in user and in kernel mode.</summary>
    public static TimeSpan CpuTime(int processId)
    {
        // Fields 14 and 15, counted after the name in parentheses, which may hold anything.
        var text = File.ReadAllText($"/proc/{processId}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
        return TimeSpan.FromSeconds(ticks / TicksPerSecond);
    }

    /// <summary>Memory that is resident now.</summary>
    public static double ResidentMebibytes(int processId)
    {
        var line = File.ReadLines($"/proc/{processId}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>How many files and directories a process has the kernel watch for it: every write below them wakes it.</summary>
    public static int Watches(int processId)
        => Directory.GetFiles($"/proc/{processId}/fdinfo")
            .Sum(descriptor => File.ReadLines(descriptor).Count(line => line.StartsWith("inotify ", StringComparison.Ordinal)));
}
