using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Polygraph.Cli.Processes;

/// <summary>
/// One certain process: its id alone may have been given to another since. On Linux the start is the kernel's own count of ticks since boot
/// with the boot's id, exact for as long as the machine runs; elsewhere it is the start time in seconds.
/// </summary>
public sealed record ProcessIdentity(int ProcessId, string Start)
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";

    /// <summary>Field 22 of <c>/proc/PID/stat</c>, counted after the name in parentheses, which may hold anything.</summary>
    private const int StartFieldAfterName = 19;

    /// <summary>The identity of a process, null if there is none of that id.</summary>
    public static ProcessIdentity? Of(int processId)
    {
        if (OperatingSystem.IsLinux())
            return OfLinux(processId);

        try
        {
            using var process = Process.GetProcessById(processId);
            var seconds = new DateTimeOffset(process.StartTime).ToUnixTimeSeconds();
            return new ProcessIdentity(processId, seconds.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Whether this very process still runs; one that ended and was not yet collected by its parent does not.</summary>
    public bool IsRunning => Of(ProcessId) == this;

    private static ProcessIdentity? OfLinux(int processId)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{processId}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new ProcessIdentity(processId, $"{File.ReadAllText(BootIdPath).Trim()}:{fields[StartFieldAfterName]}");
        }
        catch (IOException)
        {
            // The directory is gone, or went while it was read: the process ended.
            return null;
        }
    }
}
