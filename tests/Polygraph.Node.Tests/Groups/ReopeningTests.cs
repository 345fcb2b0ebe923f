using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Groups;

/// <summary>What became of a database file while its node was down is noticed before anything of it is served.</summary>
public sealed class ReopeningTests : IDisposable
{
    private const string Everything = "SELECT group_concat(a) FROM t";

    private static readonly DatabaseInfo Info = new(new GroupId(7), "main", "leader", "logical", AckPolicy.Default);

    private readonly TestReplicas _replicas = new("n1");

    private string Path => _replicas.Factory.HomeOf(Info).Database;

    public void Dispose() => _replicas.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task A_replica_whose_database_file_was_removed_shows_what_it_showed_before_or_nothing_although_nobody_else_is_there()
    {
        var before = await WriteAsync("CREATE TABLE t(a)", "INSERT INTO t VALUES ('one')", "INSERT INTO t VALUES ('two')");
        File.Delete(Path);

        await using var replica = Open(_replicas.FactoryFor(["n1", "n2", "n3"]));
        Assert.Equal((true, Position.Zero), (replica.View.Recovering, replica.View.Applied));
        replica.Start();
        await UntilAsync(replica, view => !view.Recovering);

        Assert.Equal((before, NodeId.None), (replica.View.Applied, replica.View.Leader));
        Assert.Equal("one,two", Read(replica));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_database_file_that_was_removed_and_that_the_log_cannot_bring_back_is_refused()
    {
        await WriteAsync("CREATE TABLE t(a)");
        File.Delete(Path);
        Directory.Delete(_replicas.Factory.HomeOf(Info).Log, recursive: true);
        File.Delete(_replicas.Factory.HomeOf(Info).Vote);

        Assert.True(Assert.Throws<FilesDisagreeException>(() => Open(_replicas.Factory)).IsLogShort);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_too_large_to_be_read_at_every_start_is_read_if_it_was_changed_while_it_was_closed()
    {
        await WriteAsync("CREATE TABLE t(a)", "INSERT INTO t VALUES ('unchanged')");
        var large = _replicas.FactoryFor(["n1"], readAtOpeningMax: 0);
        await Open(large).DisposeAsync();

        var modified = File.GetLastWriteTimeUtc(Path);
        var bytes = await File.ReadAllBytesAsync(Path, TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().IndexOf("unchanged"u8)] ^= 1;
        await File.WriteAllBytesAsync(Path, bytes, TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(Path, modified);

        Assert.Equal("t", Assert.Throws<DivergenceException>(() => Open(large)).Table);
        Assert.Throws<DivergenceException>(() => Open(large));

        // A file that is as its seal says is not read: the same damage under a seal that was made for it is not looked for.
        DatabaseSeal.Write(DiskFileSystem.Instance, Path, DatabaseSeal.Read(DiskFileSystem.Instance, Path)!.Value.Position);
        await Open(large).DisposeAsync();
        Assert.Throws<DivergenceException>(() => Open(_replicas.Factory));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_without_a_seal_is_read_once_and_sealed()
    {
        await WriteAsync("CREATE TABLE t(a)", "INSERT INTO t VALUES ('unchanged')");
        var seal = DatabaseSeal.Read(DiskFileSystem.Instance, Path);
        File.Delete(DatabaseSeal.PathFor(Path));

        await Open(_replicas.FactoryFor(["n1"], readAtOpeningMax: 0)).DisposeAsync();

        Assert.NotNull(seal);
        Assert.Equal(seal, DatabaseSeal.Read(DiskFileSystem.Instance, Path));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_replica_that_stopped_while_it_led_does_not_say_that_it_leads()
    {
        await using var replica = Open(_replicas.Factory);
        replica.Start();
        await UntilAsync(replica, view => view is { Serving: true, Role: Role.Leader });

        replica.Failed(new IOException("the disk is gone"));

        Assert.Equal((Role.Follower, NodeId.None, false), (replica.View.Role, replica.View.Leader, replica.View.Serving));
    }

    private static Replica Open(ReplicaFactory factory) => factory.Open(Info, new TestOwner());

    private async Task<Position> WriteAsync(params string[] statements)
    {
        await using var replica = Open(_replicas.Factory);
        replica.Start();
        await UntilAsync(replica, view => view.Serving);
        foreach (var sql in statements)
        {
            var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(sql, []))]);
            var end = await replica.WriteAsync(id => new ClientWrite(id, unit, AckPolicy.Default, null, null, default, "local"));
            Assert.Null(end.Result?.FirstError);
        }

        await UntilAsync(replica, view => view.Committed == view.Appended.Index && view.Durable == view.Appended.Index);
        return replica.View.Applied;
    }

    private static async Task UntilAsync(Replica replica, Func<GroupView, bool> condition)
    {
        while (true)
        {
            var changed = replica.NextChange();
            if (condition(replica.View))
                return;
            await changed.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static string? Read(Replica replica)
    {
        using var reader = replica.Readers.Rent(TestContext.Current.CancellationToken);
        var rows = Assert.IsType<StepResult.Rows>(Assert.Single(reader.Execute(new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(Everything, []))])).Result.Steps));
        return rows.Result.Rows[0][0].ToString();
    }
}
