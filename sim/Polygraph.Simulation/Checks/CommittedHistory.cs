using Polygraph.Protocol;
using Polygraph.Simulation.Model;

namespace Polygraph.Simulation.Checks;

/// <summary>
/// The one true history: every entry that any node ever knew to be committed, when that was first known, and the state and digest after it.
/// No node sees it; every check compares with it.
/// </summary>
public sealed class CommittedHistory
{
    private readonly List<LogEntry> _entries = [];
    private readonly List<long> _knownAt = [];
    private readonly List<Term> _knownIn = [];
    private readonly List<Digest128> _digests = [Digest128.Empty];
    private readonly KeyValueState _state = new();

    /// <summary>The last committed position.</summary>
    public Position Last => _state.Position;

    /// <summary>Whether the entry at this position is committed.</summary>
    public bool Holds(Position position)
        => position.Index.Value == 0 || (position.Index <= Last.Index && PositionAt(position.Index) == position);

    public Position PositionAt(LogIndex index) => index.Value == 0 ? Position.Zero : _entries[(int)index.Value - 1].Position;

    public LogEntry EntryAt(LogIndex index) => _entries[(int)index.Value - 1];

    /// <summary>The digest of the state after the entry at <paramref name="index"/>.</summary>
    public Digest128 DigestAt(LogIndex index) => _digests[(int)index.Value];

    /// <summary>The entry that executed this key, if one is committed.</summary>
    public bool TryFindKey(ulong idempotencyKey, out Position position) => _state.TryFindKey(idempotencyKey, out position);

    /// <summary>The term in which the entry at <paramref name="index"/> was first known to be committed.</summary>
    public Term KnownIn(LogIndex index) => _knownIn[(int)index.Value - 1];

    public void Append(LogEntry entry, long now, Term term)
    {
        _entries.Add(entry);
        _knownAt.Add(now);
        _knownIn.Add(term);
        _state.Apply(entry);
        _digests.Add(_state.Digest);
    }

    /// <summary>The last index that was known to be committed at a moment for which <paramref name="isBefore"/> holds.</summary>
    public LogIndex LastKnown(Func<long, bool> isBefore)
    {
        var (low, high) = (0, _knownAt.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (isBefore(_knownAt[middle]))
                low = middle + 1;
            else
                high = middle;
        }

        return new LogIndex((ulong)low);
    }
}
