using System.Diagnostics;
using Polygraph.Checkers.Histories;

namespace Polygraph.Nemesis.Histories;

/// <summary>
/// A history as it comes about: one monotonic clock for all clients, every line in the file at once, and the same in memory for the checkers. Safe for
/// all tasks at once.
/// </summary>
internal sealed class Recording : IDisposable
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly HistoryWriter _writer;

    // Guarded by _gate.
    private readonly Lock _gate = new();
    private readonly List<Operation> _operations = [];
    private readonly List<HistoryEvent> _events = [];
    private bool _isWhole;

    public Recording(string path, HistoryHeader header)
    {
        Path = path;
        Header = header;
        _writer = HistoryWriter.Create(path, header);
    }

    public string Path { get; }

    public HistoryHeader Header { get; }

    /// <summary>Nanoseconds since the history began.</summary>
    public long Now => (long)Stopwatch.GetElapsedTime(_begun).TotalNanoseconds;

    /// <summary>Operations so far.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _operations.Count;
        }
    }

    public void Add(Operation operation)
    {
        _writer.Write(operation);
        lock (_gate)
            _operations.Add(operation);
    }

    public void Add(HistoryEvent happened)
    {
        _writer.Write(happened);
        lock (_gate)
            _events.Add(happened);
    }

    /// <summary>Says that every operation that ever began has its line.</summary>
    public void End()
    {
        _writer.WriteEnd(Now);
        lock (_gate)
            _isWhole = true;
    }

    /// <summary>What was recorded so far.</summary>
    public History ToHistory()
    {
        lock (_gate)
            return new History(Header, [.. _operations], [.. _events], !_isWhole);
    }

    public void Dispose() => _writer.Dispose();
}
