using System.Runtime.InteropServices;

namespace Polygraph.CrashTest.Io;

/// <summary>How a child ended.</summary>
internal enum ChildEnd : byte
{
    /// <summary>It did all that it had to do.</summary>
    Finished,

    /// <summary>By <see cref="ChildProcess.Die"/>.</summary>
    Killed,

    /// <summary>By an exception, however often it was made; the error output says which.</summary>
    Failed,
}

/// <summary>
/// A fork of this process, which runs one thing and is killed in it. Forking takes a few milliseconds, a new .NET process a hundred times as long. It
/// works because a child runs one thread, the runtime is set to need no other (<see cref="NeedsOtherRuntime"/>), and nothing is open when it is
/// made. Once in some thousand times a lock of the runtime itself is held by another thread in that moment; such a child hangs or aborts, and is
/// made again. Linux only.
/// </summary>
internal static unsafe partial class ChildProcess
{
    private const int KillSignal = 9;
    private const int SilenceMaxMilliseconds = 3_000;
    private const int AttemptsMax = 3;

    // The runtime writes code through memory that a fork would share with its parent, unless it is told otherwise before it starts.
    private static readonly (string Name, string Value)[] RuntimeSettings =
        [("DOTNET_EnableWriteXorExecute", "0"), ("DOTNET_EnableDiagnostics", "0")];

    /// <summary>How many children had to be made again.</summary>
    public static int Repeated { get; private set; }

    /// <summary>The settings without which this runtime cannot fork, if it was started without them.</summary>
    public static IReadOnlyList<(string Name, string Value)> NeedsOtherRuntime
        => [.. RuntimeSettings.Where(setting => Environment.GetEnvironmentVariable(setting.Name) != setting.Value)];

    /// <summary>
    /// Runs something in a child. The child can write to <paramref name="body"/>'s argument, a pipe's end. It may run more than once, each time
    /// after <paramref name="prepare"/>.
    /// </summary>
    /// <returns>How it ended, and what it wrote before.</returns>
    public static (ChildEnd End, byte[] Written) Run(Action prepare, Action<int> body)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            prepare();
            if (TryRun(body) is { } result)
                return result;
            Repeated++;
        }

        return (ChildEnd.Failed, []);
    }

    private static (ChildEnd End, byte[] Written)? TryRun(Action<int> body)
    {
        var ends = stackalloc int[2];
        Check(MakePipe(ends));
        var child = Fork();
        if (child == 0)
            RunAsChild(body, ends[1]);
        Check(child);
        Check(CloseDescriptor(ends[1]));
        var written = ReadAll(ends[0]);
        if (written is null)
            Check(SendSignal(child, KillSignal));
        Check(CloseDescriptor(ends[0]));
        int status;
        Check(WaitFor(child, &status, 0));
        if (written is null)
            return null;
        return (status & 0x7f) switch
        {
            KillSignal => (ChildEnd.Killed, written),
            0 when ((status >> 8) & 0xff) == 0 => (ChildEnd.Finished, written),
            _ => null,
        };
    }

    /// <summary>Kills this process, at once and by nothing that it could catch.</summary>
    public static void Die()
    {
        Check(SendSignal(GetProcessId(), KillSignal));
        throw new InvalidOperationException("A process goes on after SIGKILL.");
    }

    /// <summary>Writes to a pipe, past every buffer of this process.</summary>
    public static void Write(int pipe, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
            Check(WriteBytes(pipe, start, bytes.Length) == bytes.Length ? 0 : -1);
    }

    private static void RunAsChild(Action<int> body, int pipe)
    {
        var code = 0;
        try
        {
            body(pipe);
        }
#pragma warning disable CA1031 // Not hidden: printed, and the parent fails because of the exit code.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Console.Error.WriteLine(e);
            code = 1;
        }

        // Without the runtime's own end, which would wait for threads that a fork does not have.
        ExitNow(code);
    }

    /// <summary>All that the child writes until it ends; null if it is silent for too long.</summary>
    private static byte[]? ReadAll(int pipe)
    {
        var all = new List<byte>();
        var buffer = stackalloc byte[4096];
        while (true)
        {
            var waited = new PolledDescriptor { Descriptor = pipe, Wanted = 1 };
            var ready = Poll(&waited, 1, SilenceMaxMilliseconds);
            Check(ready);
            if (ready == 0)
                return null;
            var count = (int)ReadBytes(pipe, buffer, 4096);
            Check(count);
            if (count == 0)
                return [.. all];
            all.AddRange(new ReadOnlySpan<byte>(buffer, count));
        }
    }

    private static void Check(long result)
    {
        if (result < 0)
            throw new IOException($"A system call failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "fork", SetLastError = true)]
    private static partial int Fork();

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitFor(int process, int* status, int options);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PolledDescriptor* descriptors, nint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "getpid")]
    private static partial int GetProcessId();

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int code);

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    private static partial int MakePipe(int* ends);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteBytes(int descriptor, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadBytes(int descriptor, byte* bytes, nint count);

    [StructLayout(LayoutKind.Sequential)]
    private struct PolledDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }
}
