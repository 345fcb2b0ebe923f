using Polygraph.Node.Groups;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Groups;

/// <summary>A unit on which the writer fails stops one replica; it must not be carried from there to the next leader, and the next.</summary>
public sealed class WriterThreadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-writer-").FullName;
    private readonly ReplicaStore _store;
    private readonly ReplicationLog _log;
    private readonly WriterThread _writer;
    private ulong _ids;

    public WriterThreadTests()
    {
        _store = ReplicaStore.Open(Path.Combine(_directory, "database.sqlite"));
        _log = ReplicationLog.Open(DiskFileSystem.Instance, Path.Combine(_directory, "log"), new GroupId(1), new ReplicationLogOptions());
        _writer = new WriterThread(
            _store, _log, new NoReports(), new NodeClock(new StandingTime()), TransactionLimits.Default, OwnSchemaRules.Instance);
        _writer.Order(new WriterOrder.Lead(1, new Term(1), new LogIndex(1)));
    }

    public void Dispose()
    {
        _store.Dispose();
        _log.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void The_unit_that_ran_is_not_for_the_next_leader_and_those_beside_it_are()
    {
        var before = Enqueue("CREATE TABLE t(a)");
        var poison = Enqueue("CREATE TABLE u(a)", NoEntryTakesThisKey);
        var behind = Enqueue("CREATE TABLE v(a)");

        Assert.Throws<ArgumentException>(_writer.Run);

        Assert.Equal(
            [WriteEndKind.NotLeader, WriteEndKind.ReplicaStopped, WriteEndKind.NotLeader], [KindOf(before), KindOf(poison), KindOf(behind)]);
    }

    [Fact]
    public void So_is_the_end_of_an_interactive_transaction()
    {
        var poison = Write("CREATE TABLE t(a)", NoEntryTakesThisKey);
        Assert.True(_writer.TryEnqueue(new WriterOrder.Begin(poison, new LentTransaction(null))));
        var behind = Enqueue("CREATE TABLE v(a)");

        Assert.Throws<ArgumentException>(_writer.Run);

        Assert.Equal([WriteEndKind.ReplicaStopped, WriteEndKind.NotLeader], [KindOf(poison), KindOf(behind)]);
    }

    [Fact]
    public void A_failure_of_the_disk_is_nobodys_fault()
    {
        Assert.Equal(WriteEndKind.NotLeader, WriteEnd.AtFailure(new IOException("no such device")).Kind);
        Assert.Equal(WriteEndKind.ReplicaStopped, WriteEnd.AtFailure(new InvariantViolationException("broken")).Kind);
    }

    [Fact]
    public void The_gateway_asks_the_next_leader_only_for_what_stopped_nobody()
    {
        var node = new NodeId("n1");
        Assert.True(Gateway.MayBeRetried(Problems.NotLeader(node)));
        Assert.True(Gateway.MayBeRetried(Problems.LeaderLost(null, "It fell silent.")));
        Assert.False(Gateway.MayBeRetried(Problems.ReplicaStopped(node, "main")));
    }

    // The header of an entry has no room for it. Requests cannot bring such a key; here it stands for whatever nobody has thought of.
    private static string NoEntryTakesThisKey => new('k', 70_000);

    private static WriteEndKind KindOf(ClientWrite write)
    {
        Assert.True(write.Completion.IsCompletedSuccessfully, "its client was answered");
        return write.Completion.Result.Kind;
    }

    private ClientWrite Enqueue(string sql, string? key = null)
    {
        var write = Write(sql, key);
        Assert.True(_writer.TryEnqueue(new WriterOrder.Execute(write)));
        return write;
    }

    private ClientWrite Write(string sql, string? key)
        => new(++_ids, new SqlUnit(UnitMode.Autocommit, [new SqlStep.Execute(new SqlStatement(sql, []))]), AckPolicy.Default, null, key, 0, "test");

    /// <summary>So that however slow the machine is, what is there is one batch.</summary>
    private sealed class StandingTime : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }

    /// <summary>The group loop of a writer that fails before it has anything to tell.</summary>
    private sealed class NoReports : IWriterReports
    {
        public GroupView View => throw new InvalidOperationException("The writer fails before it looks.");

        public void Report(Input input) => throw new InvalidOperationException("Nothing was committed that could be reported.");

        public void AnswerWhenCommitted(ClientWrite write, WriteEnd end, Position seen)
            => throw new InvalidOperationException("Nothing was committed that could be answered.");

        public void MarkReached(Guid verification, Snapshot snapshot) => throw new InvalidOperationException("There is no mark.");

        public void VacuumFailed(string reason) => throw new InvalidOperationException("There is no VACUUM.");

        public void Reopened(ReaderPool readers) => throw new InvalidOperationException("Nothing is rewound.");
    }
}
