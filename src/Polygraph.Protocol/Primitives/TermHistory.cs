namespace Polygraph.Protocol;

/// <summary>
/// Which term each entry of a log has, kept as the start of each term: a log of a million entries and three elections needs three rows.
/// Each replica keeps the full history, so that a session token of any age can be checked against it. Immutable.
/// </summary>
public sealed class TermHistory
{
    /// <summary>The history of an empty log.</summary>
    public static readonly TermHistory Empty = new([]);

    private readonly Position[] _starts;

    private TermHistory(Position[] starts) => _starts = starts;

    /// <summary>The first position of each term that has entries, in order.</summary>
    public IReadOnlyList<Position> Starts => _starts;

    /// <summary>A history from its starts, which must grow in both term and index.</summary>
    public static TermHistory FromStarts(IEnumerable<Position> starts)
    {
        var kept = new List<Position>();
        foreach (var start in starts)
        {
            // A second entry of the same term starts nothing, as in Append.
            if (kept.Count > 0 && kept[^1].Term == start.Term)
                continue;
            Invariant.Holds(kept.Count == 0 || (start.Term > kept[^1].Term && start.Index > kept[^1].Index), "terms grow along the log");
            kept.Add(start);
        }

        return kept.Count == 0 ? Empty : new([.. kept]);
    }

    /// <summary>The term of the entry at <paramref name="index"/>, if the log reaches that far; zero before the first entry.</summary>
    public Term TermAt(LogIndex index)
    {
        for (var i = _starts.Length - 1; i >= 0; i--)
            if (_starts[i].Index <= index)
                return _starts[i].Term;
        return Term.Zero;
    }

    /// <summary>The first index of the term that the entry at <paramref name="index"/> has.</summary>
    public LogIndex StartOfTermAt(LogIndex index)
    {
        for (var i = _starts.Length - 1; i >= 0; i--)
            if (_starts[i].Index <= index)
                return _starts[i].Index;
        return LogIndex.Zero;
    }

    /// <summary>The history after one more entry. A new term begins a new row; an older term is a broken invariant.</summary>
    public TermHistory Append(Position position)
    {
        if (_starts.Length > 0)
        {
            var last = _starts[^1];
            if (last.Term == position.Term)
                return this;
            Invariant.Holds(position.Term > last.Term && position.Index > last.Index, "terms grow along the log");
        }

        return new([.. _starts, position]);
    }

    /// <summary>The history of the log cut so that <paramref name="from"/> and everything after it are gone.</summary>
    public TermHistory CutFrom(LogIndex from)
        => _starts.Length == 0 || _starts[^1].Index < from ? this : new([.. _starts.Where(start => start.Index < from)]);
}
