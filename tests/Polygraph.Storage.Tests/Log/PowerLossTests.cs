using Polygraph.Protocol;
using Polygraph.Storage.Log;
using Polygraph.Storage.Tests.Files;

namespace Polygraph.Storage.Tests.Log;

/// <summary>The power fails at every operation of a scenario, and the disk keeps a random part of what was not synced.</summary>
public sealed class PowerLossTests
{
    private const int Seeds = 80;
    private const int SurvivorsPerStep = 6;

    [Fact]
    public void What_was_acknowledged_survives_a_power_loss()
    {
        for (var seed = 0; seed < Seeds; seed++)
            Assert.Null(LossAfterPowerFailure(seed, dropsSyncs: false));
    }

    [Fact]
    public void The_test_above_would_notice_if_syncs_were_missing()
        => Assert.Contains(Enumerable.Range(0, Seeds), seed => LossAfterPowerFailure(seed, dropsSyncs: true) is not null);

    /// <summary>Appends and syncs at random, loses the power, and says what acknowledged entry is missing or what else is wrong.</summary>
    private static string? LossAfterPowerFailure(int seed, bool dropsSyncs)
    {
        var random = new Random(seed);
        var fixture = new LogFixture(LogFixture.SmallSegments);
        fixture.Disk.DropsSyncs = dropsSyncs;
        var written = new List<LogEntry>();
        var acknowledged = 0;
        for (var round = random.Next(20); round >= 0; round--)
        {
            var entries = LogFixture.Entries(1, (ulong)written.Count + 1, random.Next(1, 5), random.Next(500));
            fixture.Append(entries);
            written.AddRange(entries);
            if (random.Next(2) == 0)
            {
                fixture.Log.Sync();
                acknowledged = written.Count;
            }
        }

        try
        {
            fixture.LosePower(random);
        }
        catch (LogCorruptedException e) when (dropsSyncs)
        {
            return e.Message;
        }

        var found = fixture.ReadAll();
        LogFixture.AssertSame([.. written.Take(found.Count)], found);
        return found.Count < acknowledged ? $"{acknowledged} entries were acknowledged and {found.Count} are left (seed {seed})" : null;
    }

    [Fact]
    public void A_power_loss_at_any_operation_of_append_and_rotation_leaves_every_acknowledged_entry()
        => AtEveryOperation(
            fixture => fixture.AppendDurably(LogFixture.Entries(1, 1, 9)),
            (fixture, acknowledge) =>
            {
                fixture.AppendDurably(LogFixture.Entries(1, 10, 12)); // Passes the end of two segments.
                acknowledge();
            },
            (fixture, acknowledged) =>
            {
                var found = fixture.ReadAll();
                LogFixture.AssertSame(LogFixture.Entries(1, 1, found.Count), found);
                Assert.InRange(found.Count, acknowledged ? 21 : 9, 21);
            });

    [Fact]
    public void A_power_loss_at_any_operation_of_a_cut_loses_no_entry_that_stays_and_none_that_goes()
        => AtEveryOperation(
            fixture => fixture.AppendDurably(LogFixture.Entries(1, 1, 40)),
            (fixture, acknowledge) =>
            {
                fixture.CutFrom(5);
                acknowledge();
            },
            (fixture, acknowledged) =>
            {
                var found = fixture.ReadAll();
                LogFixture.AssertSame(LogFixture.Entries(1, 1, found.Count), found);
                Assert.InRange(found.Count, 4, acknowledged ? 4 : 40);

                // Repeating the cut, as the protocol does, ends at the same place, and all that went is in files.
                fixture.CutFrom(5);
                Assert.Equal(4, fixture.ReadAll().Count);
                var saved = CutFile.List(fixture.Disk, LogFixture.Directory).SelectMany(file => CutFile.Read(fixture.Disk, file.Path).Entries);
                LogFixture.AssertSame(LogFixture.Entries(1, 5, 36), [.. saved.DistinctBy(entry => entry.Position).OrderBy(entry => entry.Position)]);
            });

    [Fact]
    public void A_power_loss_at_any_operation_of_dropping_old_segments_leaves_a_log_without_gaps()
        => AtEveryOperation(
            fixture => fixture.AppendDurably(LogFixture.Entries(1, 1, 40)),
            (fixture, acknowledge) =>
            {
                fixture.Log.DropBefore(new LogIndex(30));
                acknowledge();
            },
            (fixture, _) =>
            {
                var first = fixture.Log.First.Value;
                Assert.InRange(first, 1ul, 30ul);
                Assert.Equal(1ul, fixture.Log.Terms.Starts[0].Index.Value);
                LogFixture.AssertSame(LogFixture.Entries(1, first, (int)(41 - first)), fixture.ReadAll());
            });

    [Fact]
    public void A_power_loss_at_any_operation_of_opening_changes_nothing()
    {
        for (var operation = 0; operation < 20; operation++)
        {
            var random = new Random(operation);
            var fixture = new LogFixture(LogFixture.SmallSegments);
            fixture.AppendDurably(LogFixture.Entries(1, 1, 9));
            fixture.Append(LogFixture.Entries(1, 10, 2));
            var torn = fixture.Disk.AfterPowerLoss(random);
            torn.OperationsUntilPowerLoss = operation;
            try
            {
                ReplicationLog.Open(torn, LogFixture.Directory, LogFixture.Group, fixture.Options);
            }
            catch (PowerLossException)
            {
            }

            var again = new LogFixture(LogFixture.SmallSegments, torn.AfterPowerLoss(random));
            var found = again.ReadAll();
            LogFixture.AssertSame(LogFixture.Entries(1, 1, found.Count), found);
            Assert.InRange(found.Count, 9, 11);
        }
    }

    [Fact]
    public void What_a_killed_process_wrote_and_the_next_one_finds_is_durable_before_anybody_builds_on_it()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var fixture = new LogFixture(LogFixture.SmallSegments);
            fixture.AppendDurably(LogFixture.Entries(1, 1, 9));
            fixture.Append(LogFixture.Entries(1, 10, seed % 12)); // Killed before the sync: only the machine's memory has them.

            var next = new LogFixture(LogFixture.SmallSegments, fixture.Disk);
            Assert.Equal(9 + (seed % 12), next.ReadAll().Count);
            next.LosePower(new Random(seed));

            LogFixture.AssertSame(LogFixture.Entries(1, 1, 9 + (seed % 12)), next.ReadAll());
        }
    }

    [Fact]
    public void What_a_failed_sync_may_have_lost_is_written_once_more_by_the_next_opening()
    {
        // After a failed sync the machine's memory has the entries, says that they are clean, and a second sync writes nothing.
        for (var seed = 0; seed < 40; seed++)
        {
            var fixture = new LogFixture(LogFixture.SmallSegments);
            fixture.AppendDurably(LogFixture.Entries(1, 1, 9));
            fixture.Append(LogFixture.Entries(1, 10, 1 + (seed % 3)));
            fixture.Disk.NextSyncFails = new IOException("Input/output error");
            Assert.Throws<LogFailedException>(fixture.Log.Sync);

            fixture.Reopen();
            fixture.LosePower(new Random(seed));

            LogFixture.AssertSame(LogFixture.Entries(1, 1, 10 + (seed % 3)), fixture.ReadAll());
        }
    }

    /// <summary>
    /// Runs a step on a prepared log with the power failing at its first, second, … operation, until it runs through; after each failure looks at
    /// several of the disks that may be found. Says how many operations there were.
    /// </summary>
    internal static int AtEveryOperation(Action<LogFixture> prepare, Action<LogFixture, Action> step, Action<LogFixture, bool> check)
    {
        for (var operation = 0; ; operation++)
        {
            var fixture = new LogFixture(LogFixture.SmallSegments);
            prepare(fixture);
            fixture.Disk.OperationsUntilPowerLoss = operation;
            var acknowledged = false;
            var failed = true;
            try
            {
                step(fixture, () => acknowledged = true);
                failed = false;
            }
            catch (PowerLossException)
            {
            }

            for (var survivor = 0; survivor < SurvivorsPerStep; survivor++)
                check(new LogFixture(LogFixture.SmallSegments, fixture.Disk.AfterPowerLoss(new Random((operation * 100) + survivor))), acknowledged);
            if (!failed)
            {
                Assert.True(operation > 3, "the scenario has operations to fail at");
                return operation;
            }
        }
    }
}
