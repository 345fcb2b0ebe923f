using System.Diagnostics;
using System.Runtime.InteropServices;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

/// <summary>How long a log takes to open, on the real disk, every record checked.</summary>
public sealed class OpeningTests
{
    private const int Count = 1_000_000;
    private const int Rounds = 3;

    [Fact]
    public void A_log_of_a_million_entries_opens_within_a_second_that_is_its_own()
    {
        var directory = Directory.CreateTempSubdirectory("polygraph-opening-");
        try
        {
            Fill(directory.FullName);
            var best = TimeSpan.MaxValue;
            for (var round = 0; round < Rounds; round++)
            {
                var (clock, began) = (Stopwatch.StartNew(), ThreadTime());
                using var log = ReplicationLog.Open(DiskFileSystem.Instance, directory.FullName, LogFixture.Group, new());
                var taken = (ThreadTime() - began) ?? clock.Elapsed;
                best = taken < best ? taken : best;
                Assert.Equal((ulong)Count, log.Last.Index.Value);
            }

            // Time on a processor, not on the wall: on a busy machine that says more about its other work.
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{Count:N0} entries, {directory.GetFiles().Sum(file => file.Length) >> 20} MiB, opened in {best.TotalMilliseconds:N0} ms");
            Assert.True(best < TimeSpan.FromSeconds(1), $"opening took {best} at best");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>How long this thread has run on a processor; null where that is not known.</summary>
    private static TimeSpan? ThreadTime()
    {
        const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID of Linux.
        if (!OperatingSystem.IsLinux() || ReadClock(ThreadClock, out var time) != 0)
            return null;
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000);
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int ReadClock(int clock, out ClockTime time);

    [StructLayout(LayoutKind.Sequential)]
    private struct ClockTime
    {
        public long Seconds;
        public long Nanoseconds;
    }

    private static void Fill(string directory)
    {
        var payload = new byte[16];
        using var log = ReplicationLog.Open(DiskFileSystem.Instance, directory, LogFixture.Group, new());
        for (ulong first = 1; first <= Count; first += 1000)
        {
            var entries = Enumerable.Range(0, 1000).Select(at => LogFixture.Entry(1 + (first / 300_000), first + (ulong)at, payload)).ToArray();
            log.Tail.Append(entries);
            log.Append(entries);
        }

        log.Sync();
    }
}
