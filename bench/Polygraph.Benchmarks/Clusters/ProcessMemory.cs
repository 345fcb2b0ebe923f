using System.Globalization;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>What the kernel says of a process's memory. Linux only.</summary>
internal static class ProcessMemory
{
    /// <summary>Forgets the peak so far.</summary>
    public static void ResetPeak(int processId) => File.WriteAllText($"/proc/{processId}/clear_refs", "5");

    /// <summary>The largest resident size since the last reset, in MiB.</summary>
    public static double PeakMebibytes(int processId) => Field(processId, "VmHWM:");

    public static double ResidentMebibytes(int processId) => Field(processId, "VmRSS:");

    private static double Field(int processId, string name)
    {
        var line = File.ReadLines($"/proc/{processId}/status").Single(line => line.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
