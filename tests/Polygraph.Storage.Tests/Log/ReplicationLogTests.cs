using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

public sealed class ReplicationLogTests
{
    private static readonly LogIndex Start = new(1);

    [Fact]
    public void A_new_log_is_empty_and_begins_at_one()
    {
        var fixture = new LogFixture();

        Assert.Equal(Start, fixture.Log.First);
        Assert.Equal(Position.Zero, fixture.Log.Last);
        Assert.Empty(fixture.Log.Terms.Starts);
        Assert.Empty(fixture.Log.Read(Start, Start, 100));
        Assert.Equal(Start, fixture.Log.LastThatFits(Start, new LogIndex(9), 100));
    }

    [Fact]
    public void What_was_appended_reads_back_before_and_after_reopening()
    {
        var fixture = new LogFixture();
        LogEntry[] entries = [.. LogFixture.Entries(1, 1, 5), .. LogFixture.Entries(4, 6, 5)];

        fixture.AppendDurably(entries);
        LogFixture.AssertSame(entries, fixture.ReadAll());
        fixture.Reopen();

        LogFixture.AssertSame(entries, fixture.ReadAll());
        Assert.Equal(entries[^1].Position, fixture.Log.Last);
        Assert.Equal([entries[0].Position, entries[5].Position], fixture.Log.Terms.Starts);
        Assert.Equal(0, fixture.Log.TornBytesCut);
    }

    [Fact]
    public void Segments_rotate_by_size_and_the_log_reads_across_them()
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        var entries = LogFixture.Entries(1, 1, 40);

        fixture.AppendDurably(entries);
        fixture.Reopen();

        Assert.True(fixture.SegmentNames.Count > 3);
        Assert.All(fixture.SegmentNames.SkipLast(1), name => Assert.True(fixture.Disk.Content($"/log/{name}").Length <= 1024 + 28));
        LogFixture.AssertSame(entries, fixture.ReadAll());
        fixture.AppendDurably(LogFixture.Entries(2, 41, 3));
        LogFixture.AssertSame([.. entries, .. LogFixture.Entries(2, 41, 3)], fixture.ReadAll());
    }

    [Fact]
    public void An_entry_larger_than_a_segment_has_one_of_its_own()
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        LogEntry[] entries = [LogFixture.Entry(1, 1), LogFixture.Entry(1, 2, 3 * 1024 * 1024), LogFixture.Entry(1, 3)];

        fixture.AppendDurably(entries);
        fixture.Reopen();

        Assert.Equal(["0000000000000001.seg", "0000000000000002.seg", "0000000000000003.seg"], fixture.SegmentNames);
        LogFixture.AssertSame(entries, fixture.ReadAll());
    }

    [Fact]
    public void Opening_reads_each_byte_of_a_segment_once_and_the_last_sync_twice()
    {
        var fixture = new LogFixture(LogFixture.OneSegment with { FillAheadBytes = 1 });
        fixture.AppendDurably(LogFixture.Entries(1, 1, 199, payloadBytes: 30_000));
        fixture.AppendDurably(LogFixture.Entry(1, 200, payloadBytes: 30_000));
        var before = fixture.Disk.BytesRead;

        fixture.Reopen();

        var size = fixture.Disk.Content(LogFixture.SegmentPath(1)).Length;
        Assert.InRange(fixture.Disk.BytesRead - before, size, size + 33_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void LastThatFits_and_Read_agree_for_every_range_and_limit(long tailBytesMax)
    {
        var fixture = new LogFixture(LogFixture.SmallSegments with { TailBytesMax = tailBytesMax });
        var random = new Random(1);
        for (ulong index = 1; index <= 30; index++)
            fixture.Append(LogFixture.Entry(1, index, random.Next(300)));
        fixture.Log.Tail.Append(LogFixture.Entries(1, 31, 3)); // These are in memory only.

        for (ulong first = 1; first <= 33; first++)
        {
            for (var bytesMax = 0; bytesMax < 2000; bytesMax += 61)
            {
                var entries = fixture.Log.Read(new LogIndex(first), new LogIndex(33), bytesMax);

                Assert.Equal(first, entries[0].Position.Index.Value);
                Assert.Equal(entries[^1].Position.Index, fixture.Log.LastThatFits(new LogIndex(first), new LogIndex(33), bytesMax));
                Assert.True(entries.Count == 1 || entries.Sum(entry => entry.Record.Length) <= bytesMax);
                var next = entries[^1].Position.Index.Value + 1;
                if (next <= 33)
                {
                    var withOneMore = entries.Sum(entry => entry.Record.Length) + fixture.Log.Read(new LogIndex(next), new LogIndex(next), 0)[0].Record.Length;
                    Assert.True(withOneMore > bytesMax, $"one more would fit: {first} {bytesMax}");
                }
            }
        }
    }

    [Fact]
    public void What_is_not_yet_written_reads_from_memory_and_stays_there_whatever_the_limit()
    {
        var fixture = new LogFixture(); // The tail may hold 0 bytes of written entries.
        var entries = LogFixture.Entries(1, 1, 10);

        fixture.Log.Tail.Append(entries);
        LogFixture.AssertSame(entries, fixture.ReadAll());
        Assert.Equal(entries.Sum(entry => entry.Record.Length), fixture.Log.Tail.UnwrittenBytes);

        fixture.Log.Append(entries);
        Assert.Equal(0, fixture.Log.Tail.UnwrittenBytes);
        LogFixture.AssertSame(entries, fixture.ReadAll());
    }

    [Fact]
    public void A_cut_is_seen_at_once_although_the_files_follow_later()
    {
        var fixture = new LogFixture();
        fixture.Append(LogFixture.Entries(1, 1, 10));

        fixture.Log.Tail.CutFrom(new LogIndex(6));
        Assert.Equal(5, fixture.ReadAll().Count);
        Assert.Empty(fixture.Log.Read(new LogIndex(6), new LogIndex(9), 1000));

        var newer = LogFixture.Entries(2, 6, 2);
        fixture.Log.Tail.Append(newer);
        LogFixture.AssertSame([.. LogFixture.Entries(1, 1, 5), .. newer], fixture.ReadAll());

        fixture.Log.CutFrom(new LogIndex(6), "newer history");
        fixture.Log.Append(newer);
        LogFixture.AssertSame([.. LogFixture.Entries(1, 1, 5), .. newer], fixture.ReadAll());
        Assert.Equal([newer[0].Position], fixture.Log.Terms.Starts.Skip(1));
    }

    [Theory]
    [InlineData(1, 7, 8, 7)] // The cut is behind the range.
    [InlineData(1, 7, 4, 3)]
    [InlineData(5, 7, 5, 0)]
    [InlineData(5, 7, 2, 0)]
    public void A_cut_during_a_read_from_files_takes_from_it_what_was_cut_and_nothing_else(ulong first, ulong last, ulong cutFrom, int readThrough)
    {
        var fixture = new LogFixture();
        var entries = LogFixture.Entries(1, 1, 10);
        fixture.AppendDurably(entries);
        fixture.Disk.DuringNextRead = () => fixture.Log.Tail.CutFrom(new LogIndex(cutFrom));

        var read = fixture.Log.Read(new LogIndex(first), new LogIndex(last), int.MaxValue);

        Assert.Null(fixture.Disk.DuringNextRead);
        LogFixture.AssertSame([.. entries.Take(readThrough).Skip((int)first - 1)], read);
    }

    [Fact]
    public void A_read_during_which_the_history_changes_is_of_the_newer_one_alone()
    {
        var fixture = new LogFixture();
        var entries = LogFixture.Entries(1, 1, 10);
        var newer = LogFixture.Entries(2, 4, 2);
        fixture.AppendDurably(entries);
        fixture.Disk.DuringNextRead = () =>
        {
            fixture.Log.Tail.CutFrom(new LogIndex(4));
            fixture.Log.Tail.Append(newer);
        };

        LogFixture.AssertSame([.. entries.Take(3), .. newer], fixture.Log.Read(Start, new LogIndex(10), int.MaxValue));
    }

    [Fact]
    public void A_mark_for_entries_that_were_cut_does_not_let_newer_ones_leave_memory()
    {
        var fixture = new LogFixture();
        var older = LogFixture.Entries(1, 1, 3);
        var newer = LogFixture.Entries(2, 1, 3);
        fixture.Log.Tail.Append(older);
        fixture.Log.Tail.CutFrom(Start);
        fixture.Log.Tail.Append(newer);

        fixture.Log.Append(older); // The log thread is behind: it writes what is cut already.
        LogFixture.AssertSame(newer, fixture.ReadAll());

        fixture.Log.CutFrom(Start, "newer history");
        fixture.Log.Append(newer);
        LogFixture.AssertSame(newer, fixture.ReadAll());
        fixture.Reopen();
        LogFixture.AssertSame(newer, fixture.ReadAll());
    }

    [Fact]
    public void Old_segments_can_be_dropped_and_the_term_before_the_first_entry_stays_known()
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        fixture.AppendDurably(LogFixture.Entries(3, 1, 40));

        fixture.Log.DropBefore(new LogIndex(25));
        var first = fixture.Log.First;
        fixture.Reopen();

        Assert.InRange(first.Value, 2ul, 25ul);
        Assert.Equal(first, fixture.Log.First);
        Assert.Equal(new Term(3), fixture.Log.Terms.TermAt(first.Previous));
        Assert.Empty(fixture.Log.Read(Start, new LogIndex(40), 1000));
        LogFixture.AssertSame(LogFixture.Entries(3, first.Value, (int)(41 - first.Value)), fixture.ReadAll());
    }

    [Fact]
    public void Entries_that_do_not_follow_are_a_broken_invariant()
    {
        var fixture = new LogFixture();
        fixture.Append(LogFixture.Entries(2, 1, 3));

        Assert.Throws<InvariantViolationException>(() => fixture.Log.Tail.Append([LogFixture.Entry(2, 5)]));
        Assert.Throws<InvariantViolationException>(() => fixture.Log.Tail.Append([LogFixture.Entry(1, 4)]));
        Assert.Throws<InvariantViolationException>(() => fixture.Log.Append([LogFixture.Entry(2, 5)]));
    }

    [Fact]
    public void A_log_of_another_group_is_refused()
    {
        var fixture = new LogFixture();
        fixture.Log.Dispose();

        var refused = Assert.Throws<LogCorruptedException>(
            () => ReplicationLog.Open(fixture.Disk, LogFixture.Directory, new GroupId(8), fixture.Options));
        Assert.Contains("group g7, not g8", refused.Message, StringComparison.Ordinal);
    }
}
