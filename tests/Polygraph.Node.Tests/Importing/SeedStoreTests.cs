using Polygraph.Node.Control;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;

namespace Polygraph.Node.Tests.Importing;

/// <summary>A file that was promised stays until the log of <c>_system</c> says otherwise.</summary>
public sealed class SeedStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-seeds-").FullName;
    private readonly SeedStore _store;
    private readonly Guid _seed = Guid.NewGuid();

    public SeedStoreTests() => _store = new SeedStore(new NodeId("n2"), _directory, new NodeClock(TimeProvider.System));

    [Fact]
    public void A_file_that_is_here_cannot_be_begun_again()
    {
        Begin();
        Assert.Equal((409, "SEED_KNOWN"), (_store.TryBegin(_seed, 1)!.Status, _store.TryBegin(_seed, 1)!.Code));
        _store.MarkReady(new Seed(_seed, 1, "", []));
        Assert.Equal("SEED_KNOWN", _store.TryBegin(_seed, 1)!.Code);
        Assert.True(File.Exists(_store.PathOf(_seed)));
    }

    [Fact]
    public void A_ready_file_goes_only_when_its_import_is_abandoned()
    {
        Begin();
        _store.MarkReady(new Seed(_seed, 1, "", []));
        Assert.False(_store.TryDeleteUnpromised(_seed));
        _store.Settle(new Dictionary<Guid, ImportState> { [_seed] = ImportState.Pending }, new HashSet<Guid>());
        Assert.True(File.Exists(_store.PathOf(_seed)));
        _store.Settle(new Dictionary<Guid, ImportState> { [_seed] = ImportState.Abandoned }, new HashSet<Guid>());
        Assert.False(File.Exists(_store.PathOf(_seed)));
    }

    [Fact]
    public void A_file_that_nobody_was_promised_goes_at_once()
    {
        Begin();
        Assert.True(_store.TryDeleteUnpromised(_seed));
        Assert.False(File.Exists(_store.PathOf(_seed)));
        Assert.True(_store.TryDeleteUnpromised(_seed));
        Begin();
    }

    [Fact]
    public void A_file_that_was_removed_while_it_came_in_does_not_come_back()
    {
        Begin();
        Assert.True(_store.TryDeleteUnpromised(_seed));
        _store.Touch(_seed);
        Assert.False(_store.TryComplete(_seed, "00"));
        Assert.Null(_store.ReceivedDigest(_seed));
        Assert.Empty(_store.All());
        Begin();
    }

    [Fact]
    public void What_was_received_is_known_until_it_is_ready()
    {
        Begin();
        Assert.Null(_store.ReceivedDigest(_seed));
        Assert.True(_store.TryComplete(_seed, "00"));
        _store.Touch(_seed);
        Assert.Equal("00", _store.ReceivedDigest(_seed));
        _store.MarkReady(new Seed(_seed, 1, "00", []));
        Assert.Null(_store.ReceivedDigest(_seed));
    }

    [Fact]
    public void No_file_takes_the_last_bytes_of_a_disk()
    {
        Assert.Null(DiskRoom.Lack(DiskRoom.BytesToLeave + 10, 10));
        Assert.Contains("kept free", DiskRoom.Lack(DiskRoom.BytesToLeave + 10, 11), StringComparison.Ordinal);
        Assert.Equal("NO_ROOM", _store.TryBegin(_seed, long.MaxValue)!.Code);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void Begin()
    {
        Assert.Null(_store.TryBegin(_seed, 1));
        File.WriteAllText(_store.PathOf(_seed), "x");
    }
}
