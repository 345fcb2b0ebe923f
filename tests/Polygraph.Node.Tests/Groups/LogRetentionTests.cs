using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Node.Tests.Groups;

/// <summary>What of a log is kept, as a table: ten segments of ten entries and 100 bytes each; entry 101 would be the next.</summary>
public sealed class LogRetentionTests
{
    private static readonly LogRetentionOptions Options = new() { BytesMax = 800, AgeMax = TimeSpan.FromHours(1) };

    [Theory]
    // Everybody has everything: a floor of a quarter of the bound stays.
    [InlineData(100, 100, 100, null, 0, 81)]
    // Somebody is away: the bound holds, and no more goes than it asks for.
    [InlineData(100, 100, 0, null, 0, 21)]
    [InlineData(100, 100, 15, null, 0, 21)]
    [InlineData(100, 100, 45, null, 0, 41)]
    // What this replica's own recovery needs stays in any case.
    [InlineData(9, 100, 100, null, 0, 1)]
    [InlineData(10, 100, 100, null, 0, 11)]
    [InlineData(100, 25, 100, null, 0, 21)]
    // So does what a snapshot needs that somebody takes.
    [InlineData(100, 100, 100, 33UL, 0, 31)]
    [InlineData(100, 100, 0, 5UL, 0, 1)]
    // Old entries go although there is room.
    [InlineData(100, 100, 0, null, 40, 41)]
    [InlineData(100, 100, 0, null, 100, 91)]
    public void The_first_entry_to_keep(ulong checkpointed, ulong committed, ulong heldByAll, ulong? pinned, ulong oldThrough, ulong expected)
    {
        var facts = new RetentionFacts(
            [.. Enumerable.Range(0, 10).Select(i => new SegmentExtent(new LogIndex(((ulong)i * 10) + 1), 100))],
            new LogIndex(checkpointed),
            new LogIndex(committed),
            new LogIndex(heldByAll),
            pinned is { } index ? new LogIndex(index) : null);
        var kept = LogRetention.KeepFrom(Options, facts, index => index.Value <= oldThrough ? TimeSpan.FromHours(2) : TimeSpan.FromMinutes(1));
        Assert.Equal(new LogIndex(expected), kept);
    }

    [Theory]
    // Everybody has everything: the bound, no more.
    [InlineData(100, 100, 21)]
    // What somebody lacks stays: without SQLite the log may be all that there is of it.
    [InlineData(100, 0, 1)]
    [InlineData(100, 15, 11)]
    [InlineData(15, 100, 11)]
    public void The_first_entry_to_keep_without_SQLite(ulong committed, ulong heldByAll, ulong expected)
    {
        var facts = new RetentionFacts(
            [.. Enumerable.Range(0, 10).Select(i => new SegmentExtent(new LogIndex(((ulong)i * 10) + 1), 100))],
            new LogIndex(committed), new LogIndex(committed), new LogIndex(heldByAll), null);
        Assert.Equal(new LogIndex(expected), LogRetention.KeepFromWithoutStore(Options, facts));
    }

    [Fact]
    public void The_last_segment_stays_however_large_it_is()
    {
        var facts = new RetentionFacts([new SegmentExtent(new LogIndex(5), 5000)], new LogIndex(9), new LogIndex(9), new LogIndex(9), null);
        Assert.Equal(new LogIndex(5), LogRetention.KeepFrom(Options, facts, _ => TimeSpan.FromDays(9)));
    }

    [Theory]
    [InlineData(1L << 30, 64L << 20, 64 << 20)]
    [InlineData(1L << 20, 256L << 10, 64 << 10)]
    [InlineData(64L << 20, 16L << 20, 4 << 20)]
    public void Floor_and_grain_follow_the_bound(long bound, long floor, int segment)
    {
        var options = new LogRetentionOptions { BytesMax = bound };
        Assert.Equal((floor, segment), (options.BytesMin, options.SegmentBytes));
    }
}
