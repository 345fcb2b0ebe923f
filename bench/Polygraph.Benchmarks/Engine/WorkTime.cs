using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Polygraph.Benchmarks.Engine;

/// <summary>
/// What a piece of work took. Compared is the processor time of its thread, in user and kernel mode: nothing that is timed so waits for a disk or for
/// another thread, so on a machine of its own it is the time on the clock too, and on a busy one it is not the others' work, nor the compiler's.
/// </summary>
internal readonly partial record struct WorkTime(TimeSpan Processor, TimeSpan Clock)
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID of Linux.</summary>
    private const int ThreadClock = 3;

    public static WorkTime operator +(WorkTime one, WorkTime other) => new(one.Processor + other.Processor, one.Clock + other.Clock);

    public static WorkTime Of(Action work)
    {
        var (processor, clock) = (ThreadTime(), Stopwatch.GetTimestamp());
        work();
        var taken = Stopwatch.GetElapsedTime(clock);
        return new WorkTime(OperatingSystem.IsLinux() ? ThreadTime() - processor : taken, taken);
    }

    private static TimeSpan ThreadTime()
        => OperatingSystem.IsLinux() && clock_gettime(ThreadClock, out var time) == 0
            ? TimeSpan.FromTicks((time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / TimeSpan.NanosecondsPerTick))
            : TimeSpan.Zero;

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
