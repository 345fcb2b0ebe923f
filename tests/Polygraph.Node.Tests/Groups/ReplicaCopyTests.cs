using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Node.Tests.Groups;

/// <summary>A file that is made of a database may be damaged by itself: that is no reason to stop the replica.</summary>
public sealed class ReplicaCopyTests : IDisposable
{
    private readonly TestReplicas _replicas = new("n1");

    public void Dispose() => _replicas.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task Damage_of_the_copy_alone_stops_nothing()
    {
        var owner = new TestOwner();
        await using var replica = _replicas.Factory.Open(new DatabaseInfo(new GroupId(7), "main", "leader", "logical", AckPolicy.Default), owner);
        replica.Start();

        var thrown = Assert.Throws<IOException>(
            () => replica.Copy(() => throw new SqliteException(SqliteCode.Corrupt, "database disk image is malformed"), CancellationToken.None));

        Assert.Contains("what it was made of is not", thrown.Message, StringComparison.Ordinal);
        Assert.Null(replica.Failure);
        Assert.Empty(owner.Failures);
    }
}
