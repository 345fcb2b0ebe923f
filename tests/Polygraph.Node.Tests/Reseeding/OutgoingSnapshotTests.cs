using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Tests.Reseeding;

/// <summary>A copy stays as long as one of those who fetch it needs it.</summary>
public sealed class OutgoingSnapshotTests : IDisposable
{
    private static readonly NodeId First = new("n2");
    private static readonly NodeId Second = new("n3");

    private readonly ReplicaHome _home = new(Directory.CreateTempSubdirectory("polygraph-outgoing-").FullName);

    [Fact]
    public void It_is_free_to_go_when_the_last_of_its_holders_releases_it()
    {
        var snapshot = new OutgoingSnapshot(_home, Guid.NewGuid(), LogIndex.Zero, default);
        snapshot.Hold(First);
        snapshot.Hold(Second);
        snapshot.Hold(First);
        Assert.False(snapshot.Release(First));
        Assert.False(snapshot.Release(First));
        Assert.True(snapshot.Release(Second));
    }

    [Fact]
    public void After_a_restart_nobody_knows_who_else_fetches_it_so_a_release_does_not_remove_it()
    {
        Directory.CreateDirectory(_home.Outgoing);
        var id = Guid.NewGuid();
        var manifest = new SnapshotManifest(1, id, "00", 3, "n1", 1, 5, [new(1, 1)], 3, 4096, 4096, new byte[4], "", [], "");
        new OutgoingSnapshot(_home, id, LogIndex.Zero, default).Save(manifest);
        File.WriteAllText(Path.Combine(_home.Outgoing, $"{id:N}.sqlite"), "abc");
        var half = Path.Combine(_home.Outgoing, $"{Guid.NewGuid():N}.sqlite");
        File.WriteAllText(half, "a");

        var (found, leftovers) = OutgoingSnapshot.Load(_home, default);
        Assert.Equal([half], leftovers);
        var snapshot = Assert.Single(found);
        Assert.Equal(id, snapshot.Id);
        snapshot.Hold(First);
        Assert.False(snapshot.Release(First));
    }

    public void Dispose() => Directory.Delete(_home.Path, recursive: true);
}
