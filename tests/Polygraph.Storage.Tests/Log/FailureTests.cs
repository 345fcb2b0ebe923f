using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

/// <summary>After a failed write or sync nothing is known of the file, so nothing more is promised.</summary>
public sealed class FailureTests
{
    private static readonly IOException DiskError = new("Input/output error");

    [Fact]
    public void After_a_failed_sync_every_call_fails_with_the_first_cause_until_the_log_is_reopened()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
        fixture.Append(LogFixture.Entry(1, 4));
        fixture.Disk.NextSyncFails = DiskError;

        Assert.Same(DiskError, Assert.Throws<LogFailedException>(fixture.Log.Sync).InnerException);

        AssertPoisoned(fixture, "syncing");
        fixture.Reopen();
        fixture.AppendDurably(LogFixture.Entry(1, fixture.Log.Last.Index.Value + 1));
    }

    [Fact]
    public void After_a_failed_write_every_call_fails_and_reopening_cuts_the_half_written_entry()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
        fixture.Disk.NextWriteFails = new IOException("No space left on device");

        var failure = Assert.Throws<LogFailedException>(() => fixture.Append(LogFixture.Entry(1, 4)));

        Assert.Contains("No space left on device", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Check the disk", failure.Message, StringComparison.Ordinal);
        AssertPoisoned(fixture, "writing entries");
        fixture.Reopen();
        Assert.NotEqual(0, fixture.Log.TornBytesCut);
        LogFixture.AssertSame(LogFixture.Entries(1, 1, 3), fixture.ReadAll());
    }

    [Fact]
    public void After_a_failed_cut_every_call_fails_and_the_entries_are_still_there()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
        fixture.Disk.NextSyncFails = DiskError; // That of the file that saves them.

        Assert.Throws<LogFailedException>(() => fixture.Log.CutFrom(new LogIndex(2), "test"));

        AssertPoisoned(fixture, "cutting");
        fixture.Reopen();
        LogFixture.AssertSame(LogFixture.Entries(1, 1, 3), fixture.ReadAll());
    }

    private static void AssertPoisoned(LogFixture fixture, string operation)
    {
        var log = fixture.Log;
        foreach (var call in new Action[]
                 {
                     log.Sync,
                     () => log.Append([LogFixture.Entry(1, 4)]),
                     () => log.CutFrom(new LogIndex(1), ""),
                     () => log.DropBefore(new LogIndex(1)),
                     () => log.Read(new LogIndex(1), new LogIndex(1), 1),
                 })
        {
            Assert.Equal(operation, Assert.Throws<LogFailedException>(call).Operation);
        }
    }
}
