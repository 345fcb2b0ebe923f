using Polygraph.Protocol;

namespace Polygraph.Simulation.Model;

/// <summary>
/// The model of one replica's SQLite: a few rows, the table of idempotency keys, the position whose effects it holds, and a digest of all of
/// it that does not depend on the order in which rows came to be.
/// </summary>
public sealed class KeyValueState
{
    /// <summary>How many rows there are at most. Few, so that writes meet on them.</summary>
    public const int Keys = 16;

    private readonly ulong[] _values;
    private readonly ExecutedKeys _executed;

    public KeyValueState()
    {
        _values = new ulong[Keys];
        _executed = new ExecutedKeys();
    }

    private KeyValueState(KeyValueState original)
    {
        _values = [.. original._values];
        _executed = original._executed.Copy();
        Position = original.Position;
        Digest = original.Digest;
    }

    /// <summary>The last entry whose effects are here.</summary>
    public Position Position { get; private set; }

    public Digest128 Digest { get; private set; }

    public ulong this[int key] => _values[key];

    /// <summary>The entry that holds the write with this key, if it is here.</summary>
    public bool TryFindKey(ulong idempotencyKey, out Position position) => _executed.TryFind(idempotencyKey, out position);

    /// <summary>The entry's effects, whatever was here before.</summary>
    public void Apply(LogEntry entry)
    {
        Position = entry.Position;
        var record = ModelRecord.Decode(entry);
        if (record.IsNoOp)
            return;
        Digest -= Hash((ulong)record.Key, _values[record.Key]);
        _values[record.Key] = record.Value;
        Digest += Hash((ulong)record.Key, record.Value);
        if (_executed.TryAdd(record.IdempotencyKey, entry.Position))
            Digest += Hash(record.IdempotencyKey, entry.Position.Index.Value);
    }

    public KeyValueState Copy() => new(this);

    /// <summary>A state that was read from somewhere: its rows, and the keys that it remembers.</summary>
    public static KeyValueState Of(Position position, IReadOnlyList<ulong> rows, IEnumerable<(ulong Key, Position Position)> executed)
    {
        var state = new KeyValueState { Position = position };
        for (var key = 0; key < Keys; key++)
        {
            state._values[key] = rows[key];
            if (rows[key] != 0)
                state.Digest += Hash((ulong)key, rows[key]) - Hash((ulong)key, 0);
        }

        foreach (var (key, at) in executed)
            if (state._executed.TryAdd(key, at))
                state.Digest += Hash(key, at.Index.Value);
        return state;
    }

    /// <summary>Only for planted bugs: an empty state that claims a position.</summary>
    internal static KeyValueState Claiming(Position position) => new() { Position = position };

    private static UInt128 Hash(ulong row, ulong value)
    {
        var low = (row + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9 ^ (value * 0x94D049BB133111EB);
        low = (low ^ (low >> 29)) * 0xD6E8FEB86659FD93;
        var high = (low ^ (low >> 32)) * 0xCA5A826395121157 + value;
        return new UInt128(high, low);
    }
}
