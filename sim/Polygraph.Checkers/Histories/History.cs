namespace Polygraph.Checkers.Histories;

/// <summary>A whole history in memory.</summary>
/// <param name="Header">What was run.</param>
/// <param name="Operations">In the order of the file, which is the order in which they were written down and means nothing more.</param>
/// <param name="Events">In the order of the file.</param>
/// <param name="IsCut">Whether the harness was killed: see <see cref="HistoryEvent.End"/>.</param>
public sealed record History(HistoryHeader Header, IReadOnlyList<Operation> Operations, IReadOnlyList<HistoryEvent> Events, bool IsCut)
{
    /// <summary>Terms in which a leader was seen, without the first.</summary>
    public int LeaderChanges => Math.Max(0, Events.OfType<HistoryEvent.Leader>().Select(leader => leader.Term).Distinct().Count() - 1);

    /// <exception cref="MalformedHistoryException">A line is not what the format says.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static History Load(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        return Load(file);
    }

    /// <exception cref="MalformedHistoryException">A line is not what the format says.</exception>
    public static History Load(Stream stream)
    {
        var reader = new HistoryReader(stream);
        var operations = new List<Operation>();
        var events = new List<HistoryEvent>();
        while (reader.ReadNext() is { } line)
        {
            if (line.Operation is { } operation)
                operations.Add(operation);
            else
                events.Add(line.Event!);
        }

        return new History(reader.Header, operations, events, !events.OfType<HistoryEvent.End>().Any());
    }

    /// <summary>Writes it to a file as it is. A history that is cut gets no end.</summary>
    public void Save(string path)
    {
        using var writer = HistoryWriter.Create(path, Header);
        foreach (var happened in Events.Where(happened => happened is not HistoryEvent.End))
            writer.Write(happened);
        foreach (var operation in Operations)
            writer.Write(operation);
        if (!IsCut)
            writer.WriteEnd(Operations.Count == 0 ? 0 : Operations.Max(operation => operation.EndNanoseconds ?? operation.StartNanoseconds));
    }
}

/// <summary>A line after the header: an operation, or an event.</summary>
public sealed record HistoryLine(Operation? Operation, HistoryEvent? Event);

/// <summary>A history is not what its format says. The message names the line.</summary>
public sealed class MalformedHistoryException(long line, string what) : Exception($"line {line}: {what}")
{
    public long Line { get; } = line;
}
