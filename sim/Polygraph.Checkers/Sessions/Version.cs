using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Sessions;

/// <summary>A value of a register: who wrote it, and when it was there at the latest.</summary>
internal sealed class Version(Value value)
{
    public Value Value { get; } = value;

    /// <summary>Null: the value before the first write, or one that nobody is known to have written.</summary>
    public Operation? Writer { get; set; }

    /// <summary>The end of the write if it was acknowledged, or of the first read that saw it, whichever came first.</summary>
    public long ThereNanoseconds { get; set; } = long.MaxValue;

    /// <summary>How many operations its session had finished before it began to write this.</summary>
    public int SessionPrefix { get; set; }

    /// <summary>
    /// Whether it certainly is older than another value of the same register: by the positions of both, if they are known, and otherwise because it was there
    /// before the other began to be written. Values written at about the same time are not told apart.
    /// </summary>
    public bool IsOlderThan(Version other)
    {
        if (ReferenceEquals(this, other) || other.Writer is not { } later)
            return false;
        if (Value.IsNull)
            return true;
        return Writer?.Position is { } mine && later.Position is { } theirs
            ? mine != theirs && theirs.Covers(mine)
            : ThereNanoseconds < later.StartNanoseconds;
    }
}
