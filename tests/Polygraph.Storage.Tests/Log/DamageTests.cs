using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

/// <summary>What a crash tore is cut; what was durable and is wrong now is reported and left alone.</summary>
public sealed class DamageTests
{
    private const int HeaderBytes = 64;
    private const int FrameBytes = 12;
    private static readonly int RecordBytes = LogFixture.Entry(1, 1).Record.Length;
    private static readonly int Stride = FrameBytes + RecordBytes;

    [Fact]
    public void A_tail_torn_at_any_byte_is_cut_there_and_the_log_goes_on()
    {
        for (var kept = 0; kept < Stride; kept++)
        {
            var fixture = new LogFixture();
            fixture.AppendDurably(LogFixture.Entries(1, 1, 2));
            fixture.AppendDurably(LogFixture.Entry(1, 3));
            var end = HeaderBytes + (3 * Stride);
            fixture.Disk.Damage(LogFixture.SegmentPath(1), bytes => bytes.AsSpan(end - Stride + kept, Stride - kept).Clear());

            fixture.Reopen();

            LogFixture.AssertSame(LogFixture.Entries(1, 1, 2), fixture.ReadAll());
            Assert.Equal(kept == 0, fixture.Log.TornBytesCut == 0);
            fixture.AppendDurably(LogFixture.Entry(2, 3));
            fixture.Reopen();
            LogFixture.AssertSame([.. LogFixture.Entries(1, 1, 2), LogFixture.Entry(2, 3)], fixture.ReadAll());
            Assert.Equal(0, fixture.Log.TornBytesCut);
        }
    }

    [Fact]
    public void A_file_that_ends_inside_the_last_record_is_cut_too()
    {
        for (var kept = 0; kept < Stride; kept++)
        {
            var fixture = new LogFixture(LogFixture.OneSegment with { FillAheadBytes = 1 });
            fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
            using (var file = fixture.Disk.Open(LogFixture.SegmentPath(1), Storage.Files.FileOpening.Existing))
            {
                file.SetLength(HeaderBytes + (2 * Stride) + kept);
                file.Sync();
            }

            fixture.Reopen();

            LogFixture.AssertSame(LogFixture.Entries(1, 1, 2), fixture.ReadAll());
        }
    }

    [Fact]
    public void Any_changed_bit_of_a_record_that_was_durable_before_a_later_one_is_damage()
    {
        for (var at = 0; at < Stride; at++)
        {
            var fixture = new LogFixture();
            fixture.AppendDurably(LogFixture.Entries(1, 1, 3)); // Entry 2 is damaged …
            fixture.AppendDurably(LogFixture.Entries(1, 4, 2)); // … and these were written when it was durable.
            var offset = HeaderBytes + Stride;
            fixture.Disk.Damage(LogFixture.SegmentPath(1), bytes => bytes[offset + at] ^= 0x10);

            var damage = Assert.Throws<LogCorruptedException>(fixture.Reopen);

            Assert.Equal(LogFixture.SegmentPath(1), damage.Path);
            Assert.Equal(offset, damage.Offset);
            Assert.Equal(new Position(new Term(1), new LogIndex(1)), damage.After);

            // What becomes of it is not the log's to promise: it may be damaged for the second time, or the only one.
            Assert.EndsWith("Nothing was changed.", damage.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damage_in_the_last_sync_looks_like_a_torn_write_and_is_cut_as_one()
    {
        // The known limit: nothing written afterwards proves that these were durable.
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
        fixture.AppendDurably(LogFixture.Entries(1, 4, 3));
        fixture.Disk.Damage(LogFixture.SegmentPath(1), bytes => bytes[HeaderBytes + (4 * Stride) + 20] ^= 1); // entry 5 of 6

        fixture.Reopen();

        LogFixture.AssertSame(LogFixture.Entries(1, 1, 4), fixture.ReadAll());
        Assert.Equal(2 * Stride, fixture.Log.TornBytesCut);
    }

    [Fact]
    public void Any_changed_bit_of_a_closed_segment_is_damage()
    {
        var segment = LogFixture.SegmentPath(1);
        var pristine = Rotated();
        var size = pristine.Disk.Content(segment).Length;
        Assert.True(size > HeaderBytes + (5 * Stride));

        for (var at = 0; at < size; at++)
        {
            var fixture = Rotated();
            fixture.Disk.Damage(segment, bytes => bytes[at] ^= 0x01);

            var damage = Assert.Throws<LogCorruptedException>(fixture.Reopen);
            Assert.Equal(segment, damage.Path);
        }

        // All in one sync: so it is not the order of syncs that proves the damage, but that the segment is closed.
        static LogFixture Rotated()
        {
            var fixture = new LogFixture(LogFixture.SmallSegments);
            fixture.AppendDurably(LogFixture.Entries(1, 1, 12));
            return fixture;
        }
    }

    [Fact]
    public void Any_changed_bit_of_the_last_segments_header_is_damage()
    {
        for (var at = 0; at < HeaderBytes; at++)
        {
            var fixture = new LogFixture();
            fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
            fixture.Disk.Damage(LogFixture.SegmentPath(1), bytes => bytes[at] ^= 0x80);

            Assert.Throws<LogCorruptedException>(fixture.Reopen);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_missing_segment_is_damage(int which)
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        fixture.AppendDurably(LogFixture.Entries(1, 1, 40));
        fixture.Disk.Delete(Path.Combine(LogFixture.Directory, fixture.SegmentNames[which]));

        Assert.Contains("entries between are missing", Assert.Throws<LogCorruptedException>(fixture.Reopen).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_closed_segment_that_ends_too_early_is_damage()
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        fixture.AppendDurably(LogFixture.Entries(1, 1, 40));
        using (var file = fixture.Disk.Open(LogFixture.SegmentPath(1), Storage.Files.FileOpening.Existing))
            file.SetLength(HeaderBytes + (2 * Stride));

        Assert.Contains("another follows", Assert.Throws<LogCorruptedException>(fixture.Reopen).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_valid_record_at_the_wrong_place_is_damage()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
        fixture.Disk.Damage(
            LogFixture.SegmentPath(1),
            bytes => bytes.AsSpan(HeaderBytes, Stride).CopyTo(bytes.AsSpan(HeaderBytes + Stride)));

        Assert.Contains("t1:i1 cannot follow", Assert.Throws<LogCorruptedException>(fixture.Reopen).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_rots_while_the_log_is_open_is_found_when_it_is_read()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 3));
        fixture.Disk.Damage(LogFixture.SegmentPath(1), bytes => bytes[HeaderBytes + Stride + 30] ^= 1);

        Assert.Single(fixture.Log.Read(new LogIndex(1), new LogIndex(1), 1000));
        var damage = Assert.Throws<LogCorruptedException>(() => fixture.ReadAll());
        Assert.Equal(HeaderBytes + Stride, damage.Offset);
    }

    [Fact]
    public void A_frame_says_how_much_before_it_was_durable()
    {
        var fixture = new LogFixture();
        fixture.AppendDurably(LogFixture.Entries(1, 1, 2));
        fixture.AppendDurably(LogFixture.Entries(1, 3, 2));

        var bytes = fixture.Disk.Content(LogFixture.SegmentPath(1));
        var unsynced = Enumerable.Range(0, 4).Select(at => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(HeaderBytes + (at * Stride) + 8)));
        Assert.Equal([0, Stride, 0, Stride], unsynced);
    }
}
