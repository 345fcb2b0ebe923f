using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

/// <summary>A log that does not begin with the group's first entry: old segments were dropped, or a snapshot took its place.</summary>
public sealed class LogBaseTests
{
    private static readonly LogBase Far = new(At(5, 1000), TermHistory.FromStarts([At(1, 1), At(2, 30), At(5, 700)]));

    [Fact]
    public void A_log_whose_first_segments_are_gone_knows_every_term_since_the_first_entry()
    {
        var fixture = ThreeTerms();
        var terms = fixture.Log.Terms.Starts;

        fixture.Log.DropBefore(new LogIndex(55));
        var first = fixture.Log.First;
        fixture.Reopen();

        Assert.InRange(first.Value, 50ul, 55ul);
        Assert.Equal(first, fixture.Log.First);
        Assert.Equal([At(1, 1), At(2, 21), At(4, 41)], terms);
        Assert.Equal(terms, fixture.Log.Terms.Starts);
        Assert.Empty(fixture.Log.Read(new LogIndex(1), new LogIndex(60), 1000));
        Assert.Equal(first, fixture.ReadAll()[0].Position.Index);

        // And it goes on as any other: entries, a cut, another drop.
        fixture.AppendDurably(LogFixture.Entries(7, 61, 30));
        fixture.CutFrom(85);
        fixture.Log.DropBefore(new LogIndex(75));
        fixture.Reopen();
        Assert.Equal([.. terms, At(7, 61)], fixture.Log.Terms.Starts);
        Assert.Equal(At(7, 84), fixture.Log.Last);
        Assert.InRange(fixture.Log.First.Value, 65ul, 75ul);
    }

    [Fact]
    public void The_last_segment_is_never_dropped_so_the_last_entry_is_known_whatever_is_asked()
    {
        var fixture = ThreeTerms();

        fixture.Log.DropBefore(new LogIndex(1000));
        fixture.Reopen();

        Assert.Single(fixture.SegmentNames);
        Assert.Equal(At(4, 60), fixture.Log.Last);
    }

    [Fact]
    public void A_reset_leaves_an_empty_log_that_goes_on_behind_its_base()
    {
        var fixture = ThreeTerms();

        Reset(fixture, Far);
        Check();
        fixture.Reopen();
        Check();

        var next = LogFixture.Entries(6, 1001, 25);
        fixture.AppendDurably(next);
        fixture.Reopen();
        LogFixture.AssertSame(next, fixture.ReadAll());
        Assert.Equal([.. Far.Terms.Starts, At(6, 1001)], fixture.Log.Terms.Starts);

        void Check()
        {
            Assert.Equal(Far.Position, fixture.Log.Last);
            Assert.Equal(new LogIndex(1001), fixture.Log.First);
            Assert.Equal(Far.Terms.Starts, fixture.Log.Terms.Starts);
            Assert.Empty(fixture.Log.Read(new LogIndex(60), new LogIndex(2000), 1000));
        }
    }

    [Fact]
    public void After_a_reset_in_memory_nothing_of_the_files_is_read_or_measured()
    {
        var fixture = ThreeTerms();

        fixture.Log.Tail.ResetTo(Far); // The log thread has not reached it.

        Assert.Equal(new LogIndex(1001), fixture.Log.First);
        Assert.Empty(fixture.Log.Read(new LogIndex(50), new LogIndex(1000), 10_000));
        Assert.Equal(new LogIndex(50), fixture.Log.LastThatFits(new LogIndex(50), new LogIndex(60), int.MaxValue));
        fixture.Log.Tail.Append(LogFixture.Entries(6, 1001, 2));
        Assert.Equal(2, fixture.ReadAll().Count);
    }

    [Theory]
    [InlineData(50, 51)] // The snapshot is behind the log's end; what stands after it may be history or not.
    [InlineData(60, 0)] // All of the log is in it.
    public void A_reset_saves_what_stands_behind_its_base(ulong index, ulong firstSaved)
    {
        var fixture = ThreeTerms();
        var expected = firstSaved == 0 ? [] : fixture.ReadAll().Where(entry => entry.Position.Index.Value >= firstSaved).ToArray();

        Reset(fixture, new(At(4, index), TermHistory.FromStarts([At(1, 1), At(2, 21), At(4, 41)])));

        LogFixture.AssertSame(expected, Saved(fixture));
    }

    [Theory]
    [InlineData("1@1 3@15", 15)] // Its history left ours inside our first term …
    [InlineData("1@1 2@21 3@30", 30)] // … inside our second …
    [InlineData("1@1 2@35 4@41", 21)] // … before our second began, and came back to the same terms: not to the same entries.
    [InlineData("2@1", 1)]
    [InlineData("1@1 2@21 4@41", 61)]
    public void A_reset_saves_what_its_history_does_not_hold(string starts, ulong firstSaved)
    {
        var fixture = ThreeTerms();
        var all = fixture.ReadAll();
        var terms = TermHistory.FromStarts(starts.Split(' ').Select(start => start.Split('@')).Select(start => At(Number(start[0]), Number(start[1]))));

        Reset(fixture, new(new(terms.TermAt(new(500)), new(500)), terms));

        LogFixture.AssertSame([.. all.Where(entry => entry.Position.Index.Value >= firstSaved)], Saved(fixture));

        static ulong Number(string text) => ulong.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_log_can_begin_anywhere_and_in_place_of_one_that_is_damaged()
    {
        var fixture = ThreeTerms();
        fixture.Disk.Damage(LogFixture.SegmentPath(1), bytes => bytes[3] ^= 1);
        Assert.Throws<LogCorruptedException>(fixture.Reopen);

        using (var log = ReplicationLog.Create(fixture.Disk, LogFixture.Directory, LogFixture.Group, Far, fixture.Options))
            Assert.Equal(Far.Position, log.Last);

        fixture.Reopen();
        Assert.Equal(Far.Position, fixture.Log.Last);
        Assert.Single(fixture.SegmentNames);
    }

    [Fact]
    public void Any_changed_bit_of_the_base_is_damage_and_so_is_its_absence()
    {
        var path = Path.Combine(LogFixture.Directory, "base");
        var size = Dropped().Disk.Content(path).Length;
        Assert.Equal(40 + (3 * 16) + 4, size);
        for (var at = 0; at < size; at++)
        {
            var fixture = Dropped();
            fixture.Disk.Damage(path, bytes => bytes[at] ^= 0x08);
            Assert.Equal(path, Assert.Throws<LogCorruptedException>(fixture.Reopen).Path);
        }

        var without = Dropped();
        without.Disk.Delete(path);
        Assert.Contains("entries between are missing", Assert.Throws<LogCorruptedException>(without.Reopen).Message, StringComparison.Ordinal);

        var empty = Dropped();
        foreach (var name in empty.SegmentNames)
            empty.Disk.Delete(Path.Combine(LogFixture.Directory, name));
        Assert.Contains("no segment continues it", Assert.Throws<LogCorruptedException>(empty.Reopen).Message, StringComparison.Ordinal);

        static LogFixture Dropped()
        {
            var fixture = ThreeTerms();
            fixture.Log.DropBefore(new LogIndex(55));
            return fixture;
        }
    }

    [Fact]
    public async Task The_log_thread_resets_and_drops_in_the_order_of_its_jobs()
    {
        var fixture = ThreeTerms();
        var reported = new List<LogIndex>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var votes = VoteStore.Open(fixture.Disk, "/vote", Position.Zero);
        await using (var thread = new LogThread(fixture.Log, votes, "log", failure => done.TrySetException(failure)))
        {
            var before = LogFixture.Entries(4, 61, 5);
            fixture.Log.Tail.Append(before);
            thread.Post(new PersistJob { Entries = before, Persisted = Note });
            fixture.Log.Tail.ResetTo(Far);
            thread.Post(new PersistJob { ResetTo = Far, CutReason = "a snapshot", Persisted = Note });
            var after = LogFixture.Entries(6, 1001, 40);
            fixture.Log.Tail.Append(after);
            thread.Post(new PersistJob { Entries = after, DropBefore = new LogIndex(1030), Persisted = Note });
            thread.Post(new PersistJob { Persisted = () => done.SetResult() });
            _ = thread.RunAsync(CancellationToken.None);
            await done.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }

        Assert.Equal(3, reported.Count);
        Assert.InRange(reported[2].Value, 1020ul, 1030ul);
        Assert.Contains(LogFixture.Entry(4, 65).Position, Saved(fixture).Select(entry => entry.Position));
        fixture.Reopen();
        Assert.Equal(At(6, 1040), fixture.Log.Last);
        Assert.Equal(reported[2], fixture.Log.First);

        void Note() => reported.Add(fixture.Log.First);
    }

    [Fact]
    public void The_bytes_of_a_base_are_what_the_format_says()
    {
        var fixture = ThreeTerms();
        Reset(fixture, new(At(2, 3), TermHistory.FromStarts([At(1, 1), At(2, 3)])));

        Assert.Equal(
            "504C5947524C4231" + "07000000" + "00000000" + "02000000000000000300000000000000" + "02000000" + "00000000"
            + "01000000000000000100000000000000" + "02000000000000000300000000000000" + "5E1C26C1",
            Convert.ToHexString(fixture.Disk.Content(Path.Combine(LogFixture.Directory, "base"))));
    }

    [Fact]
    public void A_power_loss_at_any_operation_of_a_reset_leaves_the_old_log_or_the_new_one()
    {
        var sawOld = false;
        var operations = PowerLossTests.AtEveryOperation(
            fixture => fixture.AppendDurably(LogFixture.Entries(4, 1, 40)),
            (fixture, acknowledge) =>
            {
                Reset(fixture, Far);
                acknowledge();
                fixture.AppendDurably(LogFixture.Entries(6, 1001, 3));
            },
            (fixture, acknowledged) =>
            {
                if (!acknowledged && fixture.Log.First == new LogIndex(1))
                {
                    sawOld = true;
                    LogFixture.AssertSame(LogFixture.Entries(4, 1, 40), fixture.ReadAll());
                    return;
                }

                Assert.Equal(new LogIndex(1001), fixture.Log.First);
                Assert.Equal(Far.Terms.Starts, fixture.Log.Terms.Starts.Take(3));
                LogFixture.AssertSame(LogFixture.Entries(4, 1, 40), Saved(fixture)); // The new history lacks them.
                var found = fixture.ReadAll();
                LogFixture.AssertSame(LogFixture.Entries(6, 1001, found.Count), found);

                // What follows stays: the next opening does not replace anything once more.
                fixture.AppendDurably(LogFixture.Entry(7, 1001 + (ulong)found.Count));
                fixture.Reopen();
                Assert.Equal(found.Count + 1, fixture.ReadAll().Count);
            });

        Assert.True(sawOld);
        Assert.True(operations > 15);
    }

    private static void Reset(LogFixture fixture, LogBase start)
    {
        fixture.Log.Tail.ResetTo(start);
        fixture.Log.ResetTo(start, "a snapshot took its place");
    }

    private static LogEntry[] Saved(LogFixture fixture)
        => [.. CutFile.List(fixture.Disk, LogFixture.Directory).SelectMany(file => CutFile.Read(fixture.Disk, file.Path).Entries)];

    /// <summary>60 entries in several segments: terms 1, 2 and 4, from 1, 21 and 41 on.</summary>
    private static LogFixture ThreeTerms()
    {
        var fixture = new LogFixture(LogFixture.SmallSegments);
        fixture.AppendDurably(LogFixture.Entries(1, 1, 20));
        fixture.AppendDurably(LogFixture.Entries(2, 21, 20));
        fixture.AppendDurably(LogFixture.Entries(4, 41, 20));
        return fixture;
    }

    private static Position At(ulong term, ulong index) => new(new Term(term), new LogIndex(index));
}
