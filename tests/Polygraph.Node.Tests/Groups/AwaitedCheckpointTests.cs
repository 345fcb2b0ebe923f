using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Groups;

/// <summary>The writer says since when it takes nothing for a checkpoint, so that whoever waited in vain hears for what it was.</summary>
public sealed class AwaitedCheckpointTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-writer-").FullName;
    private readonly ReplicaStore _store;
    private readonly ReplicationLog _log;
    private readonly ManualTime _time = new();
    private readonly Reports _reports = new();
    private readonly WriterThread _writer;
    private readonly NodeClock _clock;
    private ulong _ids;

    public AwaitedCheckpointTests()
    {
        _store = ReplicaStore.Open(Path.Combine(_directory, "database.sqlite"));
        _log = ReplicationLog.Open(DiskFileSystem.Instance, Path.Combine(_directory, "log"), new GroupId(1), new ReplicationLogOptions());
        _clock = new NodeClock(_time);
        _writer = new WriterThread(_store, _log, _reports, _clock, TransactionLimits.Default, OwnSchemaRules.Instance);
        _writer.Order(new WriterOrder.Lead(1, new Term(1), new LogIndex(1)));
    }

    public void Dispose()
    {
        _store.Dispose();
        _log.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact(Timeout = 60_000)]
    public async Task It_is_since_the_first_unit_that_waited_and_until_one_is_taken()
    {
        var end = Task.Factory.StartNew(_writer.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Enqueue("CREATE TABLE t(a)");
        await _reports.NextAsync(Heard.Entry);
        Assert.Null(_writer.AwaitsCheckpointSince);

        // It is due, and what it would move is committed nowhere.
        _writer.WantCheckpoint();
        await _reports.NextAsync(Heard.Look);
        _time.Advance(TimeSpan.FromSeconds(1));
        var began = _clock.Now;
        Enqueue("INSERT INTO t VALUES (1)");

        // It looks before the unit, and again before it goes to sleep.
        while (_writer.AwaitsCheckpointSince is null)
            await _reports.NextAsync(Heard.Look);
        Assert.Equal(began, _writer.AwaitsCheckpointSince);

        _time.Advance(TimeSpan.FromSeconds(5));
        Enqueue("INSERT INTO t VALUES (2)");
        await _reports.NextAsync(Heard.Look);
        await _reports.NextAsync(Heard.Look);
        Assert.Equal(began, _writer.AwaitsCheckpointSince);

        _reports.Settle(_store.Database.Applied);
        _writer.NoteProgress();
        await _reports.NextAsync(Heard.Entry);
        Assert.Null(_writer.AwaitsCheckpointSince);
        _writer.Close();
        await end.WaitAsync(TestContext.Current.CancellationToken);
    }

    private void Enqueue(string sql)
        => Assert.True(_writer.TryEnqueue(new WriterOrder.Execute(
            new ClientWrite(++_ids, new SqlUnit(UnitMode.Autocommit, [new SqlStep.Execute(new SqlStatement(sql, []))]), AckPolicy.Default, null, null, 0, "test"))));

    private enum Heard
    {
        /// <summary>It asked how far the log is.</summary>
        Look,

        /// <summary>It made an entry.</summary>
        Entry,
    }

    /// <summary>The group loop: says how far the log is, and lets the test wait for what the writer does.</summary>
    private sealed class Reports : IWriterReports
    {
        private readonly SemaphoreSlim _looks = new(0);
        private readonly SemaphoreSlim _entries = new(0);
        private volatile GroupView _view = ViewAt(Position.Zero);

        public GroupView View
        {
            get
            {
                var view = _view;
                _looks.Release();
                return view;
            }
        }

        public void Settle(Position position) => _view = ViewAt(position);

        public Task NextAsync(Heard what) => (what == Heard.Look ? _looks : _entries).WaitAsync(TestContext.Current.CancellationToken);

        public void Report(Input input)
        {
            Assert.IsType<Input.Proposed>(input);
            _entries.Release();
        }

        public void AnswerWhenCommitted(ClientWrite write, WriteEnd end, Position seen) => throw new InvalidOperationException("Every unit writes.");

        public void MarkReached(Guid verification, Snapshot snapshot) => throw new InvalidOperationException("There is no mark.");

        public void VacuumFailed(string reason) => throw new InvalidOperationException("There is no VACUUM.");

        public void Reopened(ReaderPool readers) => throw new InvalidOperationException("Nothing is rewound.");

        private static GroupView ViewAt(Position settled)
            => new()
            {
                Role = Role.Leader,
                Term = new Term(1),
                Leader = new NodeId("n1"),
                Appended = settled,
                Durable = settled.Index,
                Committed = settled.Index,
                Applied = settled,
                Terms = TermHistory.FromStarts(settled == Position.Zero ? [] : [new Position(new Term(1), new LogIndex(1))]),
                FreshAsOf = null,
                Serving = true,
                Peers = [],
            };
    }
}
