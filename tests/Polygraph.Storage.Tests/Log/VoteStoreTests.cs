using Polygraph.Protocol;
using Polygraph.Storage.Log;
using Polygraph.Storage.Tests.Files;

namespace Polygraph.Storage.Tests.Log;

public sealed class VoteStoreTests
{
    private const string Path = "/log/vote";
    private static readonly DurableVote First = new(new Term(3), new NodeId("n1"));
    private static readonly DurableVote Second = new(new Term(4), new NodeId("a node with a longer name, ø"));

    private readonly PowerLossFileSystem _disk = new();

    [Fact]
    public void A_new_store_has_seen_no_term() => Assert.Equal(default, Open(_disk).Current);

    [Fact]
    public void A_vote_is_there_after_reopening()
    {
        var store = Open(_disk);
        store.Save(First);
        Assert.Equal(First, Open(_disk).Current);

        store.Save(new(new Term(4), NodeId.None));
        store.Save(Second);
        Assert.Equal(Second, Open(_disk).Current);
    }

    [Fact]
    public void A_term_never_goes_back_and_a_vote_in_it_never_changes()
    {
        var store = Open(_disk);
        store.Save(Second);

        store.Save(Second);
        Assert.Throws<InvariantViolationException>(() => store.Save(First));
        Assert.Throws<InvariantViolationException>(() => store.Save(Second with { VotedFor = new NodeId("n9") }));
        Assert.Throws<InvariantViolationException>(() => store.Save(Second with { VotedFor = NodeId.None }));
        Assert.Equal(Second, Open(_disk).Current);
    }

    [Fact]
    public void A_power_loss_at_any_operation_leaves_the_old_vote_or_the_new_one_and_the_new_one_once_it_was_told()
    {
        for (var operation = 0; ; operation++)
        {
            var disk = new PowerLossFileSystem();
            var store = Open(disk);
            store.Save(First);
            disk.OperationsUntilPowerLoss = operation;
            var told = false;
            try
            {
                store.Save(Second);
                told = true;
            }
            catch (PowerLossException)
            {
            }

            for (var survivor = 0; survivor < 20; survivor++)
            {
                var found = Open(disk.AfterPowerLoss(new Random((operation * 100) + survivor))).Current;
                Assert.True(found == Second || (found == First && !told), $"{found} at operation {operation}");
            }

            if (told)
            {
                Assert.Equal(4, operation);
                return;
            }
        }
    }

    [Fact]
    public void Any_damage_to_one_copy_does_not_bring_back_an_older_vote_and_is_repaired()
    {
        Open(_disk).Save(First);
        Open(_disk).Save(Second);
        var whole = _disk.Content(Path).ToArray();
        for (var slot = 0; slot < 2; slot++)
        {
            for (var at = 0; at < 278; at++)
            {
                var offset = (slot * 4096) + at;
                _disk.Damage(Path, bytes => bytes[offset] ^= 0x40);
                Assert.Equal(Second, Open(_disk).Current);
                Assert.Equal(whole, _disk.Content(Path));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_a_crash_between_the_copies_either_one_may_be_damaged_later(bool losesPower)
    {
        for (var operation = 0; operation < 4; operation++)
        {
            for (var slot = 0; slot < 2; slot++)
            {
                var disk = new PowerLossFileSystem();
                var store = Open(disk);
                store.Save(First);
                disk.OperationsUntilPowerLoss = operation;
                Assert.Throws<PowerLossException>(() => store.Save(Second));
                disk.OperationsUntilPowerLoss = null;
                if (losesPower)
                    disk = disk.AfterPowerLoss(new Random(operation));
                var told = Open(disk).Current;

                var offset = (slot * 4096) + 9;
                disk.Damage(Path, bytes => bytes[offset] ^= 0x40);

                Assert.Equal(told, Open(disk).Current);
            }
        }
    }

    [Fact]
    public void A_power_loss_soon_after_a_crash_does_not_take_back_a_vote_that_was_told()
    {
        for (var crash = 0; crash < 4; crash++)
        {
            for (var operation = 0; operation < 4; operation++)
            {
                var disk = new PowerLossFileSystem();
                var store = Open(disk);
                store.Save(First);
                disk.OperationsUntilPowerLoss = crash;
                Assert.Throws<PowerLossException>(() => store.Save(Second)); // The process ends; what it wrote is still in the system's memory.
                disk.OperationsUntilPowerLoss = operation;
                DurableVote? told = null;
                try
                {
                    told = Open(disk).Current;
                    Open(disk).Save(new(new Term(9), new NodeId("n9")));
                }
                catch (PowerLossException)
                {
                }

                for (var survivor = 0; survivor < 20; survivor++)
                {
                    var found = Open(disk.AfterPowerLoss(new Random(survivor))).Current;
                    Assert.True(found.Term >= (told ?? First).Term, $"{found} after {told} was told, at operations {crash} and {operation}");
                }
            }
        }
    }

    [Fact]
    public void A_missing_vote_beside_a_log_with_entries_is_refused_and_not_begun_anew()
    {
        var logEnd = new Position(new Term(3), new LogIndex(7));

        var refused = Assert.Throws<VoteMissingException>(() => VoteStore.Open(_disk, Path, logEnd));

        Assert.Equal((Path, logEnd), (refused.Path, refused.LogEnd));
        Assert.Empty(_disk.List("/log"));
        Open(_disk).Save(First);
        Assert.Equal(First, VoteStore.Open(_disk, Path, logEnd).Current);
    }

    [Fact]
    public void Damage_to_both_copies_is_refused()
    {
        Open(_disk).Save(First);
        _disk.Damage(Path, bytes => (bytes[9], bytes[4096 + 9]) = (0xFF, 0xFF));

        Assert.Contains("vote", Assert.Throws<LogCorruptedException>(() => Open(_disk)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_does_not_fit_is_refused_and_nothing_is_written()
    {
        var store = Open(_disk);

        Assert.Throws<ArgumentException>(() => store.Save(new(new Term(1), new NodeId(new string('x', 256)))));
        store.Save(new(new Term(1), new NodeId(new string('x', 255))));
        Assert.Equal(255, Open(_disk).Current.VotedFor.Value.Length);
    }

    private static VoteStore Open(PowerLossFileSystem disk) => VoteStore.Open(disk, Path, Position.Zero);
}
