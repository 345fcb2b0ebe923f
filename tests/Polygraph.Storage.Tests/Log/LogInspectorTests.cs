using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Tests.Log;

/// <summary>Reading the files of a log from beside it.</summary>
public sealed class LogInspectorTests : IDisposable
{
    private static readonly ReplicationLogOptions Small = new() { SegmentBytesMax = 4096, FillAheadBytes = 1024, TailBytesMax = 0 };

    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-inspector-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void All_entries_are_seen_once_and_in_order_also_behind_a_base()
    {
        using var log = Write(100);
        log.DropBefore(new LogIndex(60));
        var seen = new List<Position>();

        var found = LogInspector.Run(_directory, (_, position) => seen.Add(position));

        Assert.Null(found.Damage);
        Assert.Equal(log.First.Previous, found.Base.Position.Index);
        Assert.InRange(found.Base.Position.Index.Value, 30ul, 59ul);
        Assert.Equal(Enumerable.Range((int)log.First.Value, 101 - (int)log.First.Value).Select(index => (ulong)index), seen.Select(position => position.Index.Value));
        Assert.Equal((seen.Count, log.Last), ((int)found.Entries, found.Last));
    }

    [Fact]
    public void The_first_damage_is_named_and_nothing_is_changed()
    {
        Write(100).Dispose();
        var second = Directory.GetFiles(_directory).Order(StringComparer.Ordinal).ElementAt(1);
        var bytes = File.ReadAllBytes(second);
        bytes[300] ^= 4;
        File.WriteAllBytes(second, bytes);

        var found = LogInspector.Run(_directory);

        Assert.Equal(second, found.Damage!.Path);
        Assert.InRange(found.Damage.Offset, 64, 300);
        Assert.Equal(found.Damage.After, found.Last);
        Assert.Equal(1, found.Segments);
        Assert.Equal(bytes, File.ReadAllBytes(second));
    }

    [Fact]
    public void A_missing_segment_and_a_missing_base_are_damage()
    {
        using (var log = Write(100))
            log.DropBefore(new LogIndex(60));
        var segments = Directory.GetFiles(_directory, "*.seg").Order(StringComparer.Ordinal).ToArray();
        File.Move(segments[1], segments[1] + ".away");
        Assert.Contains("entries between are missing", LogInspector.Run(_directory).Damage!.Message, StringComparison.Ordinal);
        File.Move(segments[1] + ".away", segments[1]);
        Assert.Null(LogInspector.Run(_directory).Damage);

        File.Delete(Path.Combine(_directory, "base"));
        Assert.Equal(segments[0], LogInspector.Run(_directory).Damage!.Path);
    }

    [Fact]
    public void A_write_that_is_not_finished_is_no_damage()
    {
        Write(10).Dispose();
        var segment = Directory.GetFiles(_directory)[^1];
        var bytes = File.ReadAllBytes(segment);
        var end = bytes.AsSpan().LastIndexOfAnyExcept((byte)0);
        bytes.AsSpan(end - 20).Clear();
        File.WriteAllBytes(segment, bytes);

        var found = LogInspector.Run(_directory);

        Assert.Null(found.Damage);
        Assert.Equal(9, found.Entries);
        Assert.True(found.UnfinishedBytes > 0);
    }

    [Fact]
    public async Task A_log_that_grows_and_is_trimmed_meanwhile_is_never_called_damaged()
    {
        using var log = Write(50);
        using var stop = new CancellationTokenSource();
        var writer = Task.Factory.StartNew(() => WriteOn(log, stop.Token), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (var round = 0; round < 300; round++)
        {
            var found = LogInspector.Run(_directory, (record, position) => Assert.Equal(position, EntryCodec.ReadPosition(record)));
            Assert.True(found.Damage is null, $"round {round}: {found.Damage}");
        }

        await stop.CancelAsync();
        Assert.True(await writer > 50, "something was written meanwhile");
    }

    private static ulong WriteOn(ReplicationLog log, CancellationToken stop)
    {
        var next = log.Last.Index.Value + 1;
        for (; !stop.IsCancellationRequested; next += 3)
        {
            Append(log, LogFixture.Entries(1, next, 3, payloadBytes: 200));
            if (next % 5 == 0)
                log.DropBefore(new LogIndex(next - 20));
        }

        return next;
    }

    private ReplicationLog Write(int count)
    {
        var log = ReplicationLog.Open(DiskFileSystem.Instance, _directory, LogFixture.Group, Small);
        for (ulong first = 1; first <= (ulong)count; first += 5)
            Append(log, LogFixture.Entries(1, first, 5));
        return log;
    }

    private static void Append(ReplicationLog log, LogEntry[] entries)
    {
        log.Tail.Append(entries);
        log.Append(entries);
        log.Sync();
    }
}
