using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>
/// The segments of one log, in order, without gaps; all but the last are closed. The log thread changes them; any thread reads. A cut waits
/// for the reads that are under way and keeps new ones out meanwhile, so that a read sees the files before it or after it, never a mixture.
/// </summary>
internal sealed partial class SegmentChain : IDisposable
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly GroupId _group;
    private readonly ReplicationLogOptions _options;
    private readonly ReaderWriterLockSlim _cuts = new();

    // Owner: the log thread, which replaces the array; readers take it as it is.
    private volatile Segment[] _segments;
    private Position _last;
    private TermHistory _terms;
    private readonly FrameBuffer _buffer = new();

    private SegmentChain(IFileSystem files, string directory, GroupId group, ReplicationLogOptions options, ChainContents contents)
    {
        _files = files;
        _directory = directory;
        _group = group;
        _options = options;
        _segments = contents.Segments;
        _last = contents.Last;
        _terms = contents.Terms;
    }

    public LogIndex First => _segments[0].First;

    /// <summary>The entry before the first, which is no longer there.</summary>
    public Position BeforeFirst => _segments[0].Header.Previous;

    /// <summary>The last entry that was written to a file. Only for the log thread.</summary>
    public Position Last => _last;

    /// <summary>The segments, oldest first.</summary>
    public IReadOnlyList<SegmentExtent> Extents => [.. _segments.Select(segment => new SegmentExtent(segment.First, segment.End))];

    /// <summary>The terms of all entries up to <see cref="Last"/>. Only for the log thread.</summary>
    public TermHistory Terms => _terms;

    private Segment Active => _segments[^1];

    public static SegmentChain Open(
        IFileSystem files, string directory, GroupId group, ReplicationLogOptions options, ChainContents contents)
    {
        var chain = new SegmentChain(files, directory, group, options, contents);
        try
        {
            foreach (var leftover in contents.Leftovers)
                files.DeleteDurably(Path.Combine(directory, leftover));
            if (contents.Segments.Length == 0 || contents.Segments[^1].IsSealed)
                chain.Start(contents.Last);
            if (contents.Base.ReplacesAll)
                (contents.Base with { ReplacesAll = false }).Write(files, directory, group);
            return chain;
        }
        catch
        {
            chain.Dispose();
            throw;
        }
    }

    /// <summary>Writes entries behind the last one. Nothing is durable before <see cref="Sync"/>, unless a segment was closed on the way.</summary>
    public void Append(IReadOnlyList<LogEntry> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            Invariant.Holds(
                entry.Position.Index == _last.Index.Next && entry.Position.Term >= _last.Term, "the log is appended to at its end, in order of terms");

            var end = Active.End + _buffer.Length;
            var frameBytes = SegmentFormat.FrameBytes + entry.Record.Length;
            if (end + frameBytes > _options.SegmentBytesMax && Active.First != entry.Position.Index)
            {
                Flush();
                Active.Seal(_last);
                Start(_last);
                end = Active.End;
            }

            _buffer.Add(entry.Record.Span, end, Active.UnsyncedBefore(end));
            _last = entry.Position;
            _terms = _terms.Append(_last);
            if (_buffer.IsFull)
                Flush();
        }

        Flush();
    }

    public void Sync() => Active.Sync();

    /// <summary>
    /// Removes an entry and all after it, from the end, so that a crash leaves a log that is only longer than wanted: whole segments first, the
    /// last of them first, each removal durable before the next; then the end of the segment that stays.
    /// </summary>
    public void CutFrom(LogIndex from, Position newLast)
    {
        _cuts.EnterWriteLock();
        try
        {
            while (_segments.Length > 1 && Active.First >= from)
                RemoveSegment(_segments[^1], _segments[..^1]);
            Active.CutFrom(from);
            _last = newLast;
            _terms = _terms.CutFrom(from);
        }
        finally
        {
            _cuts.ExitWriteLock();
        }
    }

    /// <summary>
    /// Removes the segments that hold nothing from <paramref name="keepFrom"/> on; never the last one. The new base is durable first: a crash
    /// after that leaves segments which opening deletes.
    /// </summary>
    public void DropBefore(LogIndex keepFrom)
    {
        var dropped = 0;
        while (dropped + 1 < _segments.Length && _segments[dropped + 1].First <= keepFrom)
            dropped++;
        Plant("DropsASegmentTooMany", ref dropped, Math.Min(dropped + 1, _segments.Length - 1));
        if (dropped == 0)
            return;

        var previous = _segments[dropped].Header.Previous;
        new LogBaseFile(new LogBase(previous, _terms.CutFrom(previous.Index.Next)), ReplacesAll: false).Write(_files, _directory, _group);
        _cuts.EnterWriteLock();
        try
        {
            for (; dropped > 0; dropped--)
                RemoveSegment(_segments[0], _segments[1..]);
        }
        finally
        {
            _cuts.ExitWriteLock();
        }
    }

    /// <summary>
    /// Removes everything and begins anew behind an entry. Happens as a whole: a crash before the new base is durable leaves the log as it was;
    /// after it, opening finishes.
    /// </summary>
    public void ResetTo(LogBase start)
    {
        var replacing = new LogBaseFile(start, ReplacesAll: true);
        replacing.Write(_files, _directory, _group);
        _cuts.EnterWriteLock();
        try
        {
            foreach (var segment in _segments)
            {
                segment.Dispose();
                _files.DeleteDurably(PathOf(segment));
            }

            _segments = [Create(start.Position)];
            _last = start.Position;
            _terms = start.Terms;
            (replacing with { ReplacesAll = false }).Write(_files, _directory, _group);
        }
        finally
        {
            _cuts.ExitWriteLock();
        }
    }

    /// <summary>Reads what is there of a range: up to so many bytes of records, one entry at least; nothing if the first is not there.</summary>
    public void Read(LogIndex first, LogIndex last, ref long budget, List<LogEntry> into)
    {
        _cuts.EnterReadLock();
        try
        {
            while (first <= last && Find(first) is { } segment && (into.Count == 0 || budget > 0))
            {
                if (Measure(segment, first, last, into.Count == 0, ref budget) is not { } next)
                    return;
                segment.Read(first, next, into);
                if (next.Next < segment.NextIndex)
                    return;
                first = next.Next;
            }
        }
        finally
        {
            _cuts.ExitReadLock();
        }
    }

    /// <summary>
    /// As <see cref="Read"/>, without reading: the last entry that fits, null if none does or the first is not there. Does not wait for a cut, as
    /// the group loop asks this; an answer from the middle of one is as good as one from before it.
    /// </summary>
    public LogIndex? LastThatFits(LogIndex first, LogIndex last, bool isFirst, ref long budget)
    {
        LogIndex? found = null;
        while (first <= last && Find(first) is { } segment && (isFirst || budget > 0))
        {
            if (Measure(segment, first, last, isFirst, ref budget) is not { } next)
                break;
            found = next;
            isFirst = false;
            if (next.Next < segment.NextIndex)
                break;
            first = next.Next;
        }

        return found;
    }

    public void Dispose()
    {
        foreach (var segment in _segments)
            segment.Dispose();
        _cuts.Dispose();
    }

    /// <summary>How far a segment can serve a range; its first entry need not fit if it is the range's first. Null if it cannot at all.</summary>
    private static LogIndex? Measure(Segment segment, LogIndex first, LogIndex last, bool isFirst, ref long budget)
    {
        var before = budget;
        var end = segment.LastThatFits(first, last, ref budget);
        if (end is not null && (isFirst || budget >= 0))
            return end;
        budget = before;
        return null;
    }

    private Segment? Find(LogIndex index)
    {
        var segments = _segments;
        for (var i = segments.Length - 1; i >= 0; i--)
            if (segments[i].First <= index)
                return index < segments[i].NextIndex ? segments[i] : null;
        return null;
    }

    private void Flush()
    {
        if (_buffer.Length == 0)
            return;
        Active.Write(_buffer.Frames, _buffer.Offsets, _options.FillAheadBytes);
        _buffer.Clear();
    }

    /// <summary>Begins a new last segment behind an entry.</summary>
    private void Start(Position previous) => _segments = [.. _segments, Create(previous)];

    private Segment Create(Position previous)
    {
        var header = new SegmentHeader(_group, previous.Index.Next, previous.Term);
        return Segment.Create(_files, _directory, header, Math.Min(_options.FillAheadBytes, _options.SegmentBytesMax));
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    private string PathOf(Segment segment) => Path.Combine(_directory, SegmentFormat.FileName(segment.First));

    private void RemoveSegment(Segment segment, Segment[] rest)
    {
        _segments = rest;
        segment.Dispose();
        _files.DeleteDurably(PathOf(segment));
    }
}
