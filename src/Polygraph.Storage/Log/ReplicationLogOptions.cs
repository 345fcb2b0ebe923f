namespace Polygraph.Storage.Log;

/// <summary>Sizes of a log. The defaults serve one busy database on a small machine.</summary>
public sealed record ReplicationLogOptions
{
    /// <summary>The largest <see cref="SegmentBytesMax"/>: with one more record at its end, offsets still fit 32 bits.</summary>
    public const int SegmentBytesLimit = 1024 * 1024 * 1024;

    /// <summary>
    /// A segment is closed when the next entry would make it larger. An entry that is larger by itself has a segment of its own. Retention
    /// deletes whole segments, so this is also the grain of the disk space that comes back.
    /// </summary>
    public int SegmentBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// How much of a segment is filled with zeros at a time, ahead of the entries. A sync of blocks that exist need not commit the file
    /// system's journal. Small enough to be written within one slow sync, large enough that the journal is rarely asked: DESIGN.md has figures.
    /// </summary>
    public int FillAheadBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How many bytes of entries stay in memory for reading once they are written. Entries not yet written always stay.</summary>
    public long TailBytesMax { get; init; } = 16 * 1024 * 1024;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentBytesMax, SegmentFormat.HeaderBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(SegmentBytesMax, SegmentBytesLimit);
        ArgumentOutOfRangeException.ThrowIfLessThan(FillAheadBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(TailBytesMax);
    }
}
