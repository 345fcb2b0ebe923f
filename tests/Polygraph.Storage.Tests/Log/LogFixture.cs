using Polygraph.Protocol;
using Polygraph.Storage.Log;
using Polygraph.Storage.Tests.Files;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Tests.Log;

/// <summary>A log on a fake disk, and words for what tests do with it.</summary>
internal sealed class LogFixture
{
    public const string Directory = "/log";

    public static readonly GroupId Group = new(7);

    /// <summary>So small that a few entries fill a segment and a few more a fill-ahead step.</summary>
    public static readonly ReplicationLogOptions SmallSegments = new() { SegmentBytesMax = 1024, FillAheadBytes = 512, TailBytesMax = 0 };

    public static readonly ReplicationLogOptions OneSegment = new() { FillAheadBytes = 4096, TailBytesMax = 0 };

    public LogFixture(ReplicationLogOptions? options = null, PowerLossFileSystem? disk = null)
    {
        Options = options ?? OneSegment;
        Disk = disk ?? new();
        Log = Open();
    }

    public ReplicationLogOptions Options { get; }

    public PowerLossFileSystem Disk { get; private set; }

    public ReplicationLog Log { get; private set; }

    public static LogEntry Entry(ulong term, ulong index, int payloadBytes = 40)
    {
        var payload = new byte[payloadBytes];
        // Not HashCode.Combine, which is another in every process: an entry that ends in a zero looks shorter where it is torn.
        new Random((int)((term * 1_000_003) + index)).NextBytes(payload);
        return Entry(term, index, payload);
    }

    public static LogEntry Entry(ulong term, ulong index, byte[] payload)
    {
        var position = new Position(new Term(term), new LogIndex(index));
        return new(position, EntryCodec.Encode(new EntryHeader { Position = position, Payload = PayloadFormat.Logical }, payload));
    }

    public static LogEntry NoOp(ulong term, ulong index)
    {
        var position = new Position(new Term(term), new LogIndex(index));
        return new(position, EntryCodec.Encode(new EntryHeader { Position = position, Payload = PayloadFormat.NoOp }, []));
    }

    public static LogEntry[] Entries(ulong term, ulong first, int count, int payloadBytes = 40)
        => [.. Enumerable.Range(0, count).Select(at => Entry(term, first + (ulong)at, payloadBytes))];

    public void Append(params LogEntry[] entries)
    {
        Log.Tail.Append(entries);
        Log.Append(entries);
    }

    public void AppendDurably(params LogEntry[] entries)
    {
        Append(entries);
        Log.Sync();
    }

    public void CutFrom(ulong index, string reason = "test")
    {
        Log.Tail.CutFrom(new LogIndex(index));
        Log.CutFrom(new LogIndex(index), reason);
    }

    public ReplicationLog Open() => ReplicationLog.Open(Disk, Directory, Group, Options);

    public void Reopen()
    {
        Log.Dispose();
        Log = Open();
    }

    public void LosePower(Random random)
    {
        Disk = Disk.AfterPowerLoss(random);
        Log = Open();
    }

    public IReadOnlyList<LogEntry> ReadAll() => ReadAll(Log);

    public static IReadOnlyList<LogEntry> ReadAll(ReplicationLog log)
        => log.Last.Index < log.First ? [] : log.Read(log.First, log.Last.Index, int.MaxValue);

    /// <summary>The path of the segment that begins at an index.</summary>
    public static string SegmentPath(ulong first) => Path.Combine(Directory, $"{first:x16}.seg");

    public IReadOnlyList<string> SegmentNames
        => [.. Disk.List(Directory).Where(name => name.EndsWith(".seg", StringComparison.Ordinal))];

    public static void AssertSame(IReadOnlyList<LogEntry> expected, IReadOnlyList<LogEntry> actual)
    {
        Assert.Equal(expected.Select(entry => entry.Position), actual.Select(entry => entry.Position));
        for (var i = 0; i < expected.Count; i++)
            Assert.Equal(Convert.ToHexString(expected[i].Record.Span), Convert.ToHexString(actual[i].Record.Span));
    }
}
