using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.Storage.Tests.Log;

public sealed class LogThreadTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly LogFixture _fixture = new();
    private readonly VoteStore _votes;
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LogThread _thread;

    public LogThreadTests()
    {
        _votes = VoteStore.Open(_fixture.Disk, "/log/vote", _fixture.Log.Last);
        _thread = new(_fixture.Log, _votes, "log of g7", failure => Assert.True(_failed.TrySetResult(failure), "it fails once"));
    }

    [Fact]
    public async Task A_job_is_durable_when_it_is_reported()
    {
        using var stop = new CancellationTokenSource();
        var run = _thread.RunAsync(stop.Token);
        var vote = new DurableVote(new Term(1), new NodeId("n1"));

        await Persist(vote: vote, entries: LogFixture.Entries(1, 1, 3));

        var survivor = new LogFixture(disk: _fixture.Disk.AfterPowerLoss(new Random(1)));
        LogFixture.AssertSame(LogFixture.Entries(1, 1, 3), survivor.ReadAll());
        Assert.Equal(vote, VoteStore.Open(survivor.Disk, "/log/vote", survivor.Log.Last).Current);

        await stop.CancelAsync();
        await run.WaitAsync(Limit);
        Assert.False(_failed.Task.IsCompleted);
    }

    [Fact]
    public async Task Jobs_that_wait_together_share_one_write_and_one_sync_and_are_reported_in_order()
    {
        var reported = new List<int>();
        Task last = Task.CompletedTask;
        for (var job = 0; job < 100; job++)
        {
            var number = job;
            last = Persist(entries: [LogFixture.Entry(1, (ulong)job + 1)], persisted: () => reported.Add(number));
        }

        var (writes, syncs) = (_fixture.Disk.FileWrites, _fixture.Disk.FileSyncs);
        await using (_thread)
        {
            _ = _thread.RunAsync(CancellationToken.None);
            await last.WaitAsync(Limit);
        }

        Assert.Equal(Enumerable.Range(0, 100), reported);
        Assert.Equal(1, _fixture.Disk.FileSyncs - syncs);
        Assert.InRange(_fixture.Disk.FileWrites - writes, 1, 4); // One of entries, the others fill ahead.
    }

    [Fact]
    public async Task What_waited_before_a_cut_is_reported_while_the_disk_still_holds_it()
    {
        // The first answer names an entry that the second job cuts. Both wait before the thread begins, so it could take them together.
        IReadOnlyList<LogEntry> held = [];
        _ = Persist(
            entries: LogFixture.Entries(1, 1, 3),
            persisted: () => held = new LogFixture(disk: _fixture.Disk.AfterPowerLoss(new Random(1))).ReadAll());
        var last = Persist(cutFrom: new LogIndex(2), entries: LogFixture.Entries(2, 2, 1));
        await using (_thread)
        {
            _ = _thread.RunAsync(CancellationToken.None);
            await last.WaitAsync(Limit);
        }

        LogFixture.AssertSame(LogFixture.Entries(1, 1, 3), held);
    }

    [Fact]
    public async Task A_cut_between_entries_keeps_its_place()
    {
        _ = Persist(entries: LogFixture.Entries(1, 1, 5));
        _ = Persist(cutFrom: new LogIndex(3), entries: LogFixture.Entries(2, 3, 2));
        var last = Persist(cutFrom: new LogIndex(4), entries: LogFixture.Entries(3, 4, 1));
        await using (_thread)
        {
            _ = _thread.RunAsync(CancellationToken.None);
            await last.WaitAsync(Limit);
        }

        _fixture.Reopen();
        LogFixture.AssertSame(
            [.. LogFixture.Entries(1, 1, 2), .. LogFixture.Entries(2, 3, 1), .. LogFixture.Entries(3, 4, 1)], _fixture.ReadAll());
        Assert.Equal(2, CutFile.List(_fixture.Disk, LogFixture.Directory).Count);
    }

    [Fact]
    public async Task A_failed_sync_reports_no_job_and_the_failure_once_and_later_jobs_are_dropped()
    {
        _fixture.Disk.NextSyncFails = new IOException("Input/output error");
        var reported = 0;
        _ = Persist(entries: LogFixture.Entries(1, 1, 1), persisted: () => reported++);
        _ = Persist(entries: LogFixture.Entries(1, 2, 1), persisted: () => reported++);

        var run = _thread.RunAsync(CancellationToken.None);
        var failure = await _failed.Task.WaitAsync(Limit);
        await run.WaitAsync(Limit);
        _ = Persist(entries: LogFixture.Entries(1, 3, 1), persisted: () => reported++);

        Assert.IsType<LogFailedException>(failure);
        Assert.Equal(0, reported);
        await _thread.DisposeAsync();
    }

    [Fact]
    public async Task Jobs_wait_no_further_than_the_limits_say()
    {
        Assert.True(_thread.HasRoom);
        for (var job = 0; job < LogThread.JobsSoftMax; job++)
            _thread.Post(new PersistJob { Persisted = () => { } });
        Assert.False(_thread.HasRoom);

        for (var job = LogThread.JobsSoftMax; job < LogThread.JobsHardMax; job++)
            _thread.Post(new PersistJob { Persisted = () => { } });
        Assert.Throws<InvariantViolationException>(() => _thread.Post(new PersistJob { Persisted = () => { } }));
        await _thread.DisposeAsync();
    }

    [Fact]
    public async Task Readers_on_other_threads_see_only_whole_histories_while_the_log_grows_and_is_cut()
    {
        // Each entry's payload names the cut after which it was written; a reader must never see an older one behind a newer one.
        var directory = Directory.CreateTempSubdirectory("polygraph-log-").FullName;
        try
        {
            using var log = ReplicationLog.Open(DiskFileSystem.Instance, directory, LogFixture.Group, LogFixture.SmallSegments);
            using var votes = VoteStore.Open(DiskFileSystem.Instance, Path.Combine(directory, "vote"), log.Last);
            await using var thread = new LogThread(log, votes, "log", failure => _failed.TrySetResult(failure));
            _ = thread.RunAsync(CancellationToken.None);

            var writing = true;
            var reader = Task.Factory.StartNew(() => ReadWhile(log, () => Volatile.Read(ref writing)), TaskCreationOptions.LongRunning);
            Task last = Task.CompletedTask;
            var random = new Random(5);
            var next = 1ul;
            for (ulong term = 1; term <= 60; term++)
            {
                var from = next > 1 ? (ulong)random.NextInt64((long)next) + 1 : 1;
                var entries = LogFixture.Entries(term, from, random.Next(1, 40));
                next = from + (ulong)entries.Length;
                last = Post(thread, log, cutFrom: new LogIndex(from), entries: entries);
                if (random.Next(4) == 0)
                    await last.WaitAsync(Limit);
            }

            await last.WaitAsync(Limit);
            Volatile.Write(ref writing, false);
            Assert.NotEqual(0, await reader.WaitAsync(Limit));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Reads all over the log, and checks that what it gets is one history: places without gaps, terms that only grow, right contents.</summary>
    private static long ReadWhile(ReplicationLog log, Func<bool> writing)
    {
        var random = new Random(6);
        var seen = 0L;
        while (writing())
        {
            var first = new LogIndex((ulong)random.NextInt64((long)log.Last.Index.Value + 1) + 1);
            var entries = log.Read(first, first + 50, int.MaxValue);
            for (var i = 0; i < entries.Count; i++)
            {
                var (term, index) = entries[i].Position;
                Assert.Equal(first + (ulong)i, index);
                Assert.True(i == 0 || entries[i - 1].Position.Term <= term);
                LogFixture.AssertSame([LogFixture.Entry(term.Value, index.Value)], [entries[i]]);
            }

            seen += entries.Count;
        }

        return seen;
    }

    private Task Persist(DurableVote? vote = null, LogIndex? cutFrom = null, LogEntry[]? entries = null, Action? persisted = null)
        => Post(_thread, _fixture.Log, vote, cutFrom, entries, persisted);

    /// <summary>What a group loop does: the tail first, then the job.</summary>
    private static Task Post(
        LogThread thread, ReplicationLog log, DurableVote? vote = null, LogIndex? cutFrom = null, LogEntry[]? entries = null, Action? persisted = null)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (cutFrom is { } from)
            log.Tail.CutFrom(from);
        log.Tail.Append(entries ?? []);
        thread.Post(new PersistJob
        {
            Vote = vote,
            CutFrom = cutFrom,
            CutReason = "test",
            Entries = entries ?? [],
            Persisted = () =>
            {
                persisted?.Invoke();
                done.SetResult();
            },
        });
        return done.Task;
    }
}
