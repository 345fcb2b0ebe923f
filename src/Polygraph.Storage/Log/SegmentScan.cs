using System.Buffers;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Log;

/// <summary>What a segment was found to hold.</summary>
/// <param name="Header">Its header.</param>
/// <param name="Offsets">Where the frame of each entry begins, in order.</param>
/// <param name="TermStarts">The entries that begin a term within this segment.</param>
/// <param name="Last">The last entry, or the one before the first if the segment holds none.</param>
/// <param name="End">Behind the last good frame of an entry.</param>
/// <param name="DoubtfulFrom">From here on nothing proves that the content is durable: what the last entry's writer knew to be synced ends here.</param>
/// <param name="Sealed">Whether the segment was closed; then it never changes again.</param>
/// <param name="TornBytes">Bytes behind <paramref name="End"/> that a crash left there: to be cut.</param>
internal sealed record SegmentContents(
    SegmentHeader Header, List<uint> Offsets, IReadOnlyList<Position> TermStarts, Position Last, long End, long DoubtfulFrom, bool Sealed,
    long TornBytes);

/// <summary>
/// Reads a whole segment once, from its first byte to its last, and tells a torn tail from damage.
/// </summary>
/// <remarks>
/// A write that was not yet synced may be there in part, pages in any order, after a crash: its frames may be bad, and be followed by good
/// ones. Nobody was told that it is durable, so it is cut. A frame that had been synced and is bad now is damage and is never cut. The two are
/// told apart by what each frame says of the moment of its own writing: how far before it the durable part ended. A good frame behind the bad one
/// whose writer knew the bad one's place to be durable proves damage. What cannot be told apart is damage to the very last sync's entries,
/// with nothing written after them.
/// </remarks>
internal sealed partial class SegmentScan
{
    private readonly string _path;
    private readonly FileWindow _window;
    private readonly SegmentHeader _header;
    private readonly List<uint> _offsets = [];
    private readonly List<Position> _termStarts = [];
    private readonly long _begin;
    private Position _last;
    private long _offset;
    private long _doubtfulFrom;

    private SegmentScan(IStorageFile file, string path)
    {
        _path = path;
        _window = new(file);
        (_header, var headerBytes) = SegmentHeader.Read(file, path);
        _last = _header.Previous;
        _begin = headerBytes;
        _offset = headerBytes;
        _doubtfulFrom = headerBytes;
    }

    /// <summary>Scans a segment.</summary>
    /// <param name="file">The segment.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="eachRecord">Gets each entry's position and record, valid during the call only; null if nobody wants them.</param>
    /// <exception cref="LogCorruptedException">The segment holds damage.</exception>
    /// <exception cref="EntryFormatException">The segment is whole but an entry needs a newer version.</exception>
    public static SegmentContents Run(IStorageFile file, string path, ReadOnlySpanAction<byte, Position>? eachRecord = null)
        => new SegmentScan(file, path).Run(eachRecord);

    private SegmentContents Run(ReadOnlySpanAction<byte, Position>? eachRecord)
    {
        while (TryTakeFrame(out var frame))
        {
            if (SegmentFormat.LengthField(frame) == SegmentFormat.SealLength)
            {
                CheckSeal(frame);
                return Contents(isSealed: true, tornBytes: 0);
            }

            var record = frame[SegmentFormat.FrameBytes..];
            TakeRecord(record);
            eachRecord?.Invoke(record, _last);
            _doubtfulFrom = Math.Max(_begin, _offset - SegmentFormat.UnsyncedField(frame));
            _offset += frame.Length;
        }

        var tornBytes = _window.LastNonZeroFrom(_offset) is { } lastNonZero ? lastNonZero + 1 - _offset : 0;
        if (tornBytes > 0)
            RefuseIfItWasDurable();
        return Contents(isSealed: false, tornBytes);
    }

    private SegmentContents Contents(bool isSealed, long tornBytes)
        => new(_header, _offsets, _termStarts, _last, _offset, _doubtfulFrom, isSealed, tornBytes);

    /// <summary>The frame at the current offset, if it is whole.</summary>
    private bool TryTakeFrame(out ReadOnlySpan<byte> frame)
    {
        frame = _window.Peek(_offset, SegmentFormat.FrameBytes);
        if (frame.Length < SegmentFormat.FrameBytes)
            return false;
        var claimed = SegmentFormat.ClaimedBytes(frame);
        if (claimed == 0 || _offset + claimed > _window.FileLength)
            return false;
        frame = _window.Peek(_offset, (int)claimed);
        var isWhole = SegmentFormat.ChecksumHolds(frame);
        Plant("TornRecordsAreTaken", ref isWhole, true);
        return isWhole;
    }

    private void TakeRecord(ReadOnlySpan<byte> record)
    {
        // A wrong position under a right checksum was written so: no crash does that.
        var position = EntryCodec.ReadPosition(record);
        if (position.Index != _last.Index.Next || position.Term < _last.Term || position.Term == Term.Zero)
            throw Damaged($"entry {position} cannot follow.");
        if (position.Term != _last.Term)
            _termStarts.Add(position);
        _offsets.Add(checked((uint)_offset));
        _last = position;
    }

    private void CheckSeal(ReadOnlySpan<byte> seal)
    {
        var position = SegmentFormat.SealedPosition(seal);
        if (position != _last)
            throw Damaged($"the segment was closed after {position}.");
        if (_window.LastNonZeroFrom(_offset + SegmentFormat.SealBytes) is { } stray)
            throw Damaged($"the segment was closed, but something stands behind its end (at offset {stray}).");
    }

    /// <summary>Looks for a later frame whose writer knew the current offset to be durable.</summary>
    private void RefuseIfItWasDurable()
    {
        for (var offset = _offset + 1; offset + SegmentFormat.FrameBytes <= _window.FileLength; offset++)
        {
            var frame = _window.Peek(offset, SegmentFormat.FrameBytes);
            var claimed = SegmentFormat.ClaimedBytes(frame);
            if (claimed == 0 || offset + claimed > _window.FileLength)
                continue;
            if (offset - SegmentFormat.UnsyncedField(frame) <= _offset)
                continue; // Written together with the bad one, or no frame at all.
            if (SegmentFormat.ChecksumHolds(_window.Peek(offset, (int)claimed)))
                throw Damaged($"a bad record, although the one at offset {offset} was written when this one was already durable.");
        }
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    private LogCorruptedException Damaged(string what) => new(_path, _offset, _last, what);
}
