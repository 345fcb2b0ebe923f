using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;

namespace Polygraph.Simulation.Disk;

/// <summary>
/// A replica's log as its process sees it: appended entries can be read at once, whether or not they are durable. Starts after its base.
/// </summary>
public sealed class MemoryLog : ILogSizes
{
    private readonly List<LogEntry> _entries;

    public MemoryLog(Position start, IEnumerable<LogEntry> durable)
    {
        (Base, _entries) = (start, [.. durable]);
        FindLast();
    }

    /// <summary>The position just before the first entry.</summary>
    public Position Base { get; private set; }

    /// <summary>The last entry's position; the base if there is none.</summary>
    public Position Last { get; private set; }

    /// <summary>The entry at <paramref name="index"/>; null if the log does not hold it.</summary>
    public LogEntry? At(LogIndex index)
        => index <= Base.Index || index > Last.Index ? null : _entries[Place(index)];

    /// <summary>The entries from <paramref name="first"/> to <paramref name="last"/>; null if one of them is not here.</summary>
    public IReadOnlyList<LogEntry>? Range(LogIndex first, LogIndex last)
        => first <= Base.Index || last > Last.Index || first > last ? null : _entries.GetRange(Place(first), (int)(last - first) + 1);

    /// <summary>Forgets the entries up to <paramref name="position"/>.</summary>
    public void Trim(Position position)
    {
        _entries.RemoveRange(0, Place(position.Index.Next));
        Base = position;
        FindLast();
    }

    public void Append(LogEntry entry)
    {
        _entries.Add(entry);
        Last = entry.Position;
    }

    /// <summary>Takes away the entries from <paramref name="from"/> on and returns them.</summary>
    public IReadOnlyList<LogEntry> CutFrom(LogIndex from)
    {
        var keep = Math.Min(Place(from), _entries.Count);
        var cut = _entries.GetRange(keep, _entries.Count - keep);
        _entries.RemoveRange(keep, cut.Count);
        FindLast();
        return cut;
    }

    /// <inheritdoc/>
    public LogIndex LastThatFits(LogIndex first, LogIndex last, int bytesMax)
    {
        var fits = first;
        var bytes = At(first)?.Record.Length ?? 0;
        while (fits < last && At(fits.Next) is { } entry && bytes + entry.Record.Length <= bytesMax)
        {
            bytes += entry.Record.Length;
            fits = fits.Next;
        }

        return fits;
    }

    private void FindLast() => Last = _entries.Count == 0 ? Base : _entries[^1].Position;

    private int Place(LogIndex index) => (int)(index - Base.Index) - 1;
}
