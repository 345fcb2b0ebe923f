using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Log;

/// <summary>
/// One open segment file. The log thread alone writes, syncs, closes and cuts it; any thread reads what has been written.
/// </summary>
internal sealed class Segment : IDisposable
{
    private static readonly byte[] Zeros = new byte[64 * 1024];

    private readonly string _path;
    private readonly IStorageFile _file;
    private readonly int _headerBytes;

    // Owner: the log thread.
    private long _filledTo;
    private long _syncedTo;

    // Owner: the log thread; any thread reads them under the lock. Four bytes an entry, at most 4 % of the file: in exchange a read needs one
    // file access and the size of any range is known without one.
    private readonly Lock _gate = new();
    private readonly List<uint> _offsets;
    private long _end;

    private Segment(string path, IStorageFile file, SegmentHeader header, int headerBytes, List<uint> offsets, long end, bool isSealed)
    {
        _path = path;
        _file = file;
        _headerBytes = headerBytes;
        Header = header;
        _offsets = offsets;
        _end = end;
        _filledTo = file.Length;
        _syncedTo = end;
        IsSealed = isSealed;
    }

    public SegmentHeader Header { get; }

    public LogIndex First => Header.First;

    /// <summary>Whether it is closed: nothing follows in this file.</summary>
    public bool IsSealed { get; private set; }

    /// <summary>Behind the last entry's frame.</summary>
    public long End
    {
        get
        {
            lock (_gate)
                return _end;
        }
    }

    /// <summary>The index after the last entry.</summary>
    public LogIndex NextIndex
    {
        get
        {
            lock (_gate)
                return First + (ulong)_offsets.Count;
        }
    }

    /// <summary>Creates an empty segment. Durable on return, filled ahead with zeros.</summary>
    public static Segment Create(IFileSystem files, string directory, SegmentHeader header, int fillAheadBytes)
    {
        var path = Path.Combine(directory, SegmentFormat.FileName(header.First));
        var headerBytes = header.Encode();
        files.ReplaceAtomically(path, file =>
        {
            file.Write(headerBytes, 0);
            FillWithZeros(file, headerBytes.Length, fillAheadBytes);
        });
        return new(path, files.Open(path, FileOpening.Existing), header, headerBytes.Length, [], headerBytes.Length, isSealed: false);
    }

    /// <summary>Opens a segment that was scanned: takes the file, and cuts what a crash left behind its last good entry.</summary>
    public static Segment FromScan(string path, IStorageFile file, SegmentContents contents)
    {
        var headerBytes = SegmentFormat.HeaderBytes + System.Text.Encoding.UTF8.GetByteCount(contents.Header.Note);
        var segment = new Segment(path, file, contents.Header, headerBytes, contents.Offsets, contents.End, contents.Sealed);
        if (contents.TornBytes > 0)
            segment.CutFileTo(contents.End);
        return segment;
    }

    /// <summary>
    /// Writes what is there from an offset on once more, the same bytes, and syncs. They may never have been synced (whoever wrote them was killed
    /// before), or a sync of them failed: then the system holds them as clean, and a sync without a write says yes and does nothing.
    /// </summary>
    public void WriteAgain(long from)
    {
        var to = IsSealed ? _file.Length : End;
        var chunk = new byte[Math.Clamp(to - from, 0, 1024 * 1024)];
        for (var at = from; at < to; at += chunk.Length)
        {
            var bytes = chunk.AsSpan(0, (int)Math.Min(chunk.Length, to - at));
            var read = _file.Read(bytes, at);
            _file.Write(bytes[..read], at);
        }

        _file.Sync();
    }

    /// <summary>Writes frames that were laid out to begin at <see cref="End"/>; <paramref name="newOffsets"/> are where each begins.</summary>
    public void Write(ReadOnlySpan<byte> frames, List<uint> newOffsets, int fillAheadBytes)
    {
        var end = End + frames.Length;
        if (end > _filledTo)
        {
            var target = _filledTo + (((end - _filledTo + fillAheadBytes - 1) / fillAheadBytes) * fillAheadBytes);
            FillWithZeros(_file, _filledTo, target);
            _filledTo = target;
        }

        _file.Write(frames, End);
        lock (_gate)
        {
            _offsets.AddRange(newOffsets);
            _end = end;
        }
    }

    /// <summary>How far before <paramref name="offset"/> the durable part ends.</summary>
    public long UnsyncedBefore(long offset) => offset - _syncedTo;

    public void Sync()
    {
        _file.Sync();
        _syncedTo = End;
    }

    /// <summary>Closes the segment: nothing follows. Durable on return, together with everything before it.</summary>
    public void Seal(Position last)
    {
        var end = End;
        _file.SetLength(end);
        _file.Write(SegmentFormat.Seal(last, UnsyncedBefore(end)), end);
        _filledTo = end + SegmentFormat.SealBytes;
        IsSealed = true;
        Sync();
    }

    /// <summary>Removes an entry and all after it, and opens the segment again if it was closed. Durable on return. No reader may be reading.</summary>
    public void CutFrom(LogIndex from)
    {
        long end;
        lock (_gate)
        {
            var kept = (int)(from - First);
            end = kept < _offsets.Count ? _offsets[kept] : _end;
            _offsets.RemoveRange(kept, _offsets.Count - kept);
            _end = end;
        }

        IsSealed = false;
        CutFileTo(end);
    }

    /// <summary>
    /// The last entry up to which the records from <paramref name="first"/> on have at most so many bytes, one entry at least; null if the first
    /// is not there (any more).
    /// </summary>
    public LogIndex? LastThatFits(LogIndex first, LogIndex last, ref long budget)
    {
        lock (_gate)
        {
            if (first - First >= (ulong)_offsets.Count)
                return null;
            var at = (int)(first - First);
            var lastAt = (int)Math.Min(last - First, (ulong)_offsets.Count - 1);
            budget -= RecordBytes(at);
            while (at < lastAt && budget >= RecordBytes(at + 1))
                budget -= RecordBytes(++at);
            return First + (ulong)at;
        }
    }

    /// <summary>Reads entries that are there, from <paramref name="first"/> to <paramref name="last"/>, checking each.</summary>
    /// <exception cref="LogCorruptedException">A record is not what was written.</exception>
    public void Read(LogIndex first, LogIndex last, List<LogEntry> into)
    {
        long start, end;
        lock (_gate)
        {
            start = _offsets[(int)(first - First)];
            end = EndOf((int)(last - First));
        }

        var bytes = new byte[end - start];
        var read = _file.Read(bytes, start);
        var offset = 0;
        for (var index = first; index <= last; index = index.Next)
            offset += ReadOne(bytes.AsMemory(offset, Math.Max(0, read - offset)), index, start + offset, into);
    }

    public void Dispose() => _file.Dispose();

    private int ReadOne(ReadOnlyMemory<byte> rest, LogIndex index, long offset, List<LogEntry> into)
    {
        var claimed = rest.Length < SegmentFormat.FrameBytes ? 0 : SegmentFormat.ClaimedBytes(rest.Span);
        if (claimed == 0 || claimed > rest.Length || !SegmentFormat.ChecksumHolds(rest.Span[..(int)claimed]))
            throw Damaged(index, offset, "a record is not what was written.");
        var record = rest[SegmentFormat.FrameBytes..(int)claimed];
        var position = EntryCodec.ReadPosition(record.Span);
        if (position.Index != index)
            throw Damaged(index, offset, $"{position} stands where {index} was written.");
        into.Add(new LogEntry(position, record));
        return (int)claimed;
    }

    private LogCorruptedException Damaged(LogIndex index, long offset, string what)
        => new(_path, offset, new Position(Term.Zero, index.Previous), what);

    private long RecordBytes(int at) => EndOf(at) - _offsets[at] - SegmentFormat.FrameBytes;

    private long EndOf(int at) => at + 1 < _offsets.Count ? _offsets[at + 1] : _end;

    /// <summary>Cuts the file, so that nothing old is ever found behind the end, and syncs that before anything new is written there.</summary>
    private void CutFileTo(long end)
    {
        _file.SetLength(end);
        _file.Sync();
        _filledTo = end;
        _syncedTo = end;
    }

    private static void FillWithZeros(IStorageFile file, long from, long to)
    {
        for (var at = from; at < to; at += Zeros.Length)
            file.Write(Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, to - at)), at);
    }
}
