using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;

namespace Polygraph.Simulation.Disk;

/// <summary>
/// A replica's log as its process sees it: appended entries can be read at once, whether or not they are durable. Starts at index 1.
/// </summary>
public sealed class MemoryLog : ILogSizes
{
    private readonly List<LogEntry> _entries;

    public MemoryLog(IEnumerable<LogEntry> durable) => _entries = [.. durable];

    /// <summary>The last entry's position; zero if there is none.</summary>
    public Position Last => _entries.Count == 0 ? Position.Zero : _entries[^1].Position;

    /// <summary>The entry at <paramref name="index"/>; null if the log does not hold it.</summary>
    public LogEntry? At(LogIndex index)
        => index.Value == 0 || index.Value > (ulong)_entries.Count ? null : _entries[(int)index.Value - 1];

    /// <summary>The entries from <paramref name="first"/> to <paramref name="last"/>; null if one of them is not here.</summary>
    public IReadOnlyList<LogEntry>? Range(LogIndex first, LogIndex last)
        => first.Value == 0 || last.Value > (ulong)_entries.Count || first > last
            ? null
            : _entries.GetRange((int)first.Value - 1, (int)(last - first) + 1);

    public void Append(LogEntry entry) => _entries.Add(entry);

    /// <summary>Takes away the entries from <paramref name="from"/> on and returns them.</summary>
    public IReadOnlyList<LogEntry> CutFrom(LogIndex from)
    {
        var keep = Math.Min((int)from.Value - 1, _entries.Count);
        var cut = _entries.GetRange(keep, _entries.Count - keep);
        _entries.RemoveRange(keep, cut.Count);
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
}
