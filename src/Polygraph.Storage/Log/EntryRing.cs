using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>A list that is added to and cut at its end, and emptied from its start, without moving what it holds. Not thread-safe.</summary>
internal sealed class EntryRing
{
    private LogEntry?[] _slots = new LogEntry?[64]; // Always a power of two.
    private int _head;

    public int Count { get; private set; }

    public LogEntry this[int at] => _slots[Slot(at)]!;

    public void Add(LogEntry entry)
    {
        if (Count == _slots.Length)
            Grow();
        _slots[Slot(Count)] = entry;
        Count++;
    }

    public LogEntry RemoveFirst()
    {
        var entry = Take(0);
        _head = (_head + 1) & (_slots.Length - 1);
        return entry;
    }

    public LogEntry RemoveLast() => Take(Count - 1);

    private LogEntry Take(int at)
    {
        Invariant.Holds(Count > 0, "nothing is taken from an empty tail");
        var slot = Slot(at);
        var entry = _slots[slot]!;
        _slots[slot] = null; // Lets the record's memory go.
        Count--;
        return entry;
    }

    private int Slot(int at) => (_head + at) & (_slots.Length - 1);

    private void Grow()
    {
        var grown = new LogEntry?[_slots.Length * 2];
        for (var i = 0; i < Count; i++)
            grown[i] = this[i];
        _slots = grown;
        _head = 0;
    }
}
