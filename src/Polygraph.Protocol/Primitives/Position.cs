namespace Polygraph.Protocol;

/// <summary>A period of leadership, also the fencing epoch: grows at every election, never goes back.</summary>
public readonly record struct Term(ulong Value) : IComparable<Term>
{
    /// <summary>Before any election.</summary>
    public static Term Zero => default;

    /// <summary>The term after this one.</summary>
    public Term Next => new(Value + 1);

    /// <inheritdoc/>
    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public static bool operator <(Term left, Term right) => left.Value < right.Value;
    public static bool operator >(Term left, Term right) => left.Value > right.Value;
    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;
    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => $"t{Value}";
}

/// <summary>A place in a group's replication log. The first entry is 1; 0 stands before it.</summary>
public readonly record struct LogIndex(ulong Value) : IComparable<LogIndex>
{
    /// <summary>Before the first entry.</summary>
    public static LogIndex Zero => default;

    /// <summary>The place after this one.</summary>
    public LogIndex Next => new(Value + 1);

    /// <summary>The place before this one. Zero has none.</summary>
    public LogIndex Previous => new(checked(Value - 1));

    /// <inheritdoc/>
    public int CompareTo(LogIndex other) => Value.CompareTo(other.Value);

    /// <summary>The smaller of two.</summary>
    public static LogIndex Min(LogIndex left, LogIndex right) => left < right ? left : right;

    /// <summary>The larger of two.</summary>
    public static LogIndex Max(LogIndex left, LogIndex right) => left > right ? left : right;

    public static bool operator <(LogIndex left, LogIndex right) => left.Value < right.Value;
    public static bool operator >(LogIndex left, LogIndex right) => left.Value > right.Value;
    public static bool operator <=(LogIndex left, LogIndex right) => left.Value <= right.Value;
    public static bool operator >=(LogIndex left, LogIndex right) => left.Value >= right.Value;

    /// <summary>The place <paramref name="count"/> entries later.</summary>
    public static LogIndex operator +(LogIndex index, ulong count) => new(checked(index.Value + count));

    /// <summary>How many entries <paramref name="left"/> is ahead of <paramref name="right"/>, which must not be larger.</summary>
    public static ulong operator -(LogIndex left, LogIndex right) => checked(left.Value - right.Value);

    /// <inheritdoc/>
    public override string ToString() => $"i{Value}";
}

/// <summary>An entry's identity: two logs that hold the same position hold the same entry, and the same entries before it.</summary>
public readonly record struct Position(Term Term, LogIndex Index) : IComparable<Position>
{
    /// <summary>Before the first entry.</summary>
    public static Position Zero => default;

    /// <summary>Orders as elections do: the later term is ahead; within a term, the larger index.</summary>
    public int CompareTo(Position other)
    {
        var byTerm = Term.CompareTo(other.Term);
        return byTerm != 0 ? byTerm : Index.CompareTo(other.Index);
    }

    public static bool operator <(Position left, Position right) => left.CompareTo(right) < 0;
    public static bool operator >(Position left, Position right) => left.CompareTo(right) > 0;
    public static bool operator <=(Position left, Position right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Position left, Position right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Term}:{Index}";
}
