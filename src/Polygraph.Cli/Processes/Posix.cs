using System.Runtime.InteropServices;

namespace Polygraph.Cli.Processes;

/// <summary>The few system calls that .NET does not offer.</summary>
internal static partial class Posix
{
    public const int Terminate = 15;
    public const int Kill = 9;

    private const int NoSuchProcess = 3;

    /// <summary>SIGSTOP: not the same number everywhere.</summary>
    public static readonly int Stop = OperatingSystem.IsMacOS() ? 17 : 19;

    /// <summary>SIGCONT.</summary>
    public static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;

    /// <summary>Sends a signal; false if the process is gone.</summary>
    /// <exception cref="InvalidOperationException">The system refused.</exception>
    public static bool Signal(int processId, int signal)
    {
        if (SendSignal(processId, signal) == 0)
            return true;

        var error = Marshal.GetLastPInvokeError();
        return error == NoSuchProcess
            ? false
            : throw new InvalidOperationException($"Signal {signal} to process {processId} failed: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    /// <summary>
    /// Leaves the terminal's process group, so that Ctrl-C there reaches the one who started us and not us: it decides when we end.
    /// Fails, harmlessly, if this process already leads a group.
    /// </summary>
    public static void LeaveTerminal() => _ = StartSession();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    private static partial int StartSession();
}
