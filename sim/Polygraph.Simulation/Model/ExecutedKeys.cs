using Polygraph.Protocol;

namespace Polygraph.Simulation.Model;

/// <summary>
/// The table of idempotency keys: which entry executed each. States are copied at every checkpoint and hold hundreds of keys, so a copy shares
/// what is there and both go on in layers of their own; layers are joined once there are many.
/// </summary>
internal sealed class ExecutedKeys
{
    private const int LayersMax = 8;

    // Never changed once they are here: other states may look at them, too.
    private readonly List<Dictionary<ulong, Position>> _shared = [];
    private Dictionary<ulong, Position> _own = [];

    public bool TryFind(ulong key, out Position position)
    {
        if (_own.TryGetValue(key, out position))
            return true;
        foreach (var layer in _shared)
            if (layer.TryGetValue(key, out position))
                return true;
        return false;
    }

    /// <summary>Says whether the key is new.</summary>
    public bool TryAdd(ulong key, Position position)
    {
        if (TryFind(key, out _))
            return false;
        _own.Add(key, position);
        return true;
    }

    public ExecutedKeys Copy()
    {
        if (_own.Count > 0)
        {
            _shared.Add(_own);
            _own = [];
        }

        if (_shared.Count > LayersMax)
            Join();
        var copy = new ExecutedKeys();
        copy._shared.AddRange(_shared);
        return copy;
    }

    /// <summary>All layers but the first, which is the largest, become one; if they have outgrown it, the first does, too.</summary>
    private void Join()
    {
        var keep = _shared.Skip(1).Sum(layer => layer.Count) < _shared[0].Count ? 1 : 0;
        var joined = new Dictionary<ulong, Position>();
        foreach (var (key, position) in _shared.Skip(keep).SelectMany(layer => layer))
            joined.Add(key, position);
        _shared.RemoveRange(keep, _shared.Count - keep);
        _shared.Add(joined);
    }
}
