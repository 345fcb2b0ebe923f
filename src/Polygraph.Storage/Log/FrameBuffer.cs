namespace Polygraph.Storage.Log;

/// <summary>Lays frames out one behind the other, so that many entries need one write. Owner: the log thread.</summary>
internal sealed class FrameBuffer
{
    /// <summary>Enough that a write's fixed cost does not show; written out as soon as it is reached.</summary>
    private const int FullBytes = 1024 * 1024;

    private byte[] _bytes = new byte[64 * 1024];

    public int Length { get; private set; }

    public bool IsFull => Length >= FullBytes;

    public ReadOnlySpan<byte> Frames => _bytes.AsSpan(0, Length);

    /// <summary>Where each frame begins in its segment.</summary>
    public List<uint> Offsets { get; } = [];

    /// <summary>Adds a record's frame, which will stand at <paramref name="offset"/> in the segment.</summary>
    public void Add(ReadOnlySpan<byte> record, long offset, long unsyncedBytes)
    {
        var needed = Length + SegmentFormat.FrameBytes + record.Length;
        if (needed > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(needed, Math.Min(_bytes.Length * 2, 2 * FullBytes)));

        record.CopyTo(_bytes.AsSpan(Length + SegmentFormat.FrameBytes));
        SegmentFormat.WriteFrame(_bytes.AsSpan(Length, SegmentFormat.FrameBytes), record, unsyncedBytes);
        Offsets.Add(checked((uint)offset));
        Length = needed;
    }

    public void Clear()
    {
        Length = 0;
        Offsets.Clear();
        if (_bytes.Length > 4 * FullBytes)
            _bytes = new byte[FullBytes]; // One huge entry must not hold its memory for ever.
    }
}
