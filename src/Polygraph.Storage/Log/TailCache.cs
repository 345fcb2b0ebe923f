using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// The end of the log in memory. The group loop appends and cuts here first, at once, and this is what the log *is* from then on; the log
/// thread brings the files after it. An entry leaves memory only after it was written to a file, so whatever this does not hold is in the
/// files, and whatever the files hold from <see cref="FirstInMemory"/> on is out of date and never looked at.
/// </summary>
/// <remarks>Thread-safe by one lock that is never held over IO.</remarks>
public sealed class TailCache
{
    private readonly Lock _gate = new();
    private readonly long _bytesMax;
    private readonly EntryRing _entries = new();
    private Position _last;
    private TermHistory _terms;
    private LogIndex _firstUnwritten;
    private long _bytes;
    private long _unwrittenBytes;
    private long _generation;
    private LogIndex _first;

    /// <summary>A tail behind what the files hold.</summary>
    internal TailCache(Position last, TermHistory terms, long bytesMax)
    {
        _last = last;
        _terms = terms;
        _bytesMax = bytesMax;
        _firstUnwritten = last.Index.Next;
        _first = new LogIndex(1);
    }

    /// <summary>The last entry of the log, written or not.</summary>
    public Position Last
    {
        get
        {
            lock (_gate)
                return _last;
        }
    }

    /// <summary>The terms of the log's entries, written or not.</summary>
    public TermHistory Terms
    {
        get
        {
            lock (_gate)
                return _terms;
        }
    }

    /// <summary>Bytes of entries that are not yet written: what a slow disk makes the group hold. The group takes no new writes beyond a limit.</summary>
    public long UnwrittenBytes
    {
        get
        {
            lock (_gate)
                return _unwrittenBytes;
        }
    }

    /// <summary>Nothing before this is of the log, whatever files still hold.</summary>
    internal LogIndex First
    {
        get
        {
            lock (_gate)
                return _first;
        }
    }

    /// <summary>The first entry in memory; the one after the last if there is none.</summary>
    public LogIndex FirstInMemory
    {
        get
        {
            lock (_gate)
                return FirstIndex;
        }
    }

    /// <summary>Grows with every cut and every reset: entries read from files before and after one must not be put together.</summary>
    internal long Generation
    {
        get
        {
            lock (_gate)
                return _generation;
        }
    }

    private LogIndex FirstIndex => new(_last.Index.Value + 1 - (ulong)_entries.Count);

    /// <summary>Makes entries the end of the log. Only for the group loop.</summary>
    public void Append(IReadOnlyList<LogEntry> entries)
    {
        lock (_gate)
        {
            for (var i = 0; i < entries.Count; i++)
            {
                var entry = entries[i];
                Invariant.Holds(
                    entry.Position.Index == _last.Index.Next && entry.Position.Term >= _last.Term, "the log is appended to at its end, in order of terms");
                _terms = _terms.Append(entry.Position);
                _entries.Add(entry);
                _bytes += entry.Record.Length;
                _unwrittenBytes += entry.Record.Length;
                _last = entry.Position;
            }
        }
    }

    /// <summary>Takes an entry and all after it out of the log, for readers at once. Only for the group loop, which then has the files cut too.</summary>
    public void CutFrom(LogIndex from)
    {
        lock (_gate)
        {
            if (from > _last.Index)
                return;
            _generation++;
            for (var index = _last.Index; index >= from && _entries.Count > 0; index = index.Previous)
            {
                var bytes = _entries.RemoveLast().Record.Length;
                _bytes -= bytes;
                if (index >= _firstUnwritten)
                    _unwrittenBytes -= bytes;
            }

            _last = new(_terms.TermAt(from.Previous), from.Previous);
            _terms = _terms.CutFrom(from);
            _firstUnwritten = LogIndex.Min(_firstUnwritten, from);
        }
    }

    /// <summary>
    /// Makes the log empty, to go on behind another entry, for readers at once. Only for the group loop, which then has the files reset too.
    /// </summary>
    public void ResetTo(LogBase start)
    {
        start.Check();
        lock (_gate)
        {
            _generation++;
            while (_entries.Count > 0)
                _entries.RemoveLast();
            _bytes = 0;
            _unwrittenBytes = 0;
            _last = start.Position;
            _terms = start.Terms;
            _first = start.Position.Index.Next;
            _firstUnwritten = _first;
        }
    }

    /// <summary>
    /// Allows written entries to leave memory. A mark for an entry that was cut meanwhile means nothing and does nothing. Only for the log thread.
    /// </summary>
    internal void MarkWritten(LogEntry lastWritten)
    {
        lock (_gate)
        {
            var index = lastWritten.Position.Index;
            if (index < FirstIndex || index > _last.Index || !ReferenceEquals(_entries[(int)(index - FirstIndex)], lastWritten))
                return;
            for (; _firstUnwritten <= index; _firstUnwritten = _firstUnwritten.Next)
                _unwrittenBytes -= _entries[(int)(_firstUnwritten - FirstIndex)].Record.Length;
            while (_bytes > _bytesMax && FirstIndex < _firstUnwritten)
                _bytes -= _entries.RemoveFirst().Record.Length;
        }
    }

    /// <summary>
    /// Adds what is in memory of a range, as long as the budget lasts; the very first entry of a result is always added.
    /// </summary>
    /// <returns>False if <paramref name="first"/> is not in memory or the log was cut since <paramref name="generation"/>.</returns>
    internal bool TryRead(long generation, LogIndex first, LogIndex last, ref long budget, List<LogEntry> into)
    {
        lock (_gate)
        {
            if (generation != _generation || first < FirstIndex)
                return false;
            for (var index = first; index <= last && index <= _last.Index; index = index.Next)
            {
                var entry = _entries[(int)(index - FirstIndex)];
                if (into.Count > 0 && entry.Record.Length > budget)
                    break;
                budget -= entry.Record.Length;
                into.Add(entry);
            }

            return true;
        }
    }

    /// <summary>As <see cref="TryRead"/>, only measuring; <paramref name="found"/> is the last entry that fits, if any does.</summary>
    internal bool TryMeasure(long generation, LogIndex first, LogIndex last, ref long budget, ref LogIndex? found)
    {
        lock (_gate)
        {
            if (generation != _generation || first < FirstIndex)
                return false;
            for (var index = first; index <= last && index <= _last.Index; index = index.Next)
            {
                var bytes = _entries[(int)(index - FirstIndex)].Record.Length;
                if (found is not null && bytes > budget)
                    break;
                budget -= bytes;
                found = index;
            }

            return true;
        }
    }
}
