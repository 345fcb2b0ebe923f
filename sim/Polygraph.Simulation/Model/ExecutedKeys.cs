using Polygraph.Protocol;

namespace Polygraph.Simulation.Model;

/// <summary>
/// The table of idempotency keys: which entry executed each. States are copied at every checkpoint and hold hundreds of keys, but hardly any copy
/// is ever asked: it is what a restart would begin from. So a copy takes no more than the beginning of a list that the original goes on, and
/// makes a table of its own when it is asked for the first time.
/// </summary>
internal sealed class ExecutedKeys
{
    // In the order in which they were executed. What is here stays here; only whoever has the table below adds to it.
    private List<(ulong Key, Position Position)> _executed = [];
    private int _count;
    private Dictionary<ulong, Position>? _table;

    public bool TryFind(ulong key, out Position position) => Table().TryGetValue(key, out position);

    /// <summary>Says whether the key is new.</summary>
    public bool TryAdd(ulong key, Position position)
    {
        if (!Table().TryAdd(key, position))
            return false;
        _executed.Add((key, position));
        _count++;
        return true;
    }

    public ExecutedKeys Copy() => new() { _executed = _executed, _count = _count };

    private Dictionary<ulong, Position> Table()
    {
        if (_table is not null)
            return _table;
        _executed = _executed.GetRange(0, _count);
        _table = new Dictionary<ulong, Position>(_count);
        foreach (var (key, position) in _executed)
            _table.Add(key, position);
        return _table;
    }
}
