using System.Diagnostics.CodeAnalysis;
using Polygraph.Protocol;

namespace Polygraph.Node.Groups;

/// <summary>
/// Clients' units that wait for the writer, in their order: a bounded number, of which the inbox holds a part. <see cref="TryReserve"/> and
/// <see cref="Release"/> from any thread, everything else by the writer.
/// </summary>
internal sealed class UnitQueue(int unitsMax)
{
    private readonly Queue<WriterOrder> _units = new();
    private int _reserved;

    public int Count => _units.Count;

    /// <summary>Takes a place for a unit that is about to be posted; false if too many wait.</summary>
    public bool TryReserve()
    {
        if (Interlocked.Increment(ref _reserved) <= unitsMax)
            return true;
        Release();
        return false;
    }

    /// <summary>Gives a place back, of a unit that was not posted.</summary>
    public void Release() => Interlocked.Decrement(ref _reserved);

    /// <summary>A unit that has a place has come out of the inbox.</summary>
    public void Enqueue(WriterOrder unit) => _units.Enqueue(unit);

    public bool TryPeek([NotNullWhen(true)] out WriterOrder? unit) => _units.TryPeek(out unit);

    /// <summary>Takes the first one out.</summary>
    public void Take()
    {
        _units.Dequeue();
        Release();
    }

    /// <summary>When the first deadline of those that wait is, or the given one if that is earlier.</summary>
    public Instant FirstDeadline(Instant atLatest)
        => _units.Aggregate(atLatest, (earliest, unit) => Instant.Min(earliest, unit.Waiting!.Deadline));

    /// <summary>Behind a lent writer the wait may be longer than a client's patience. The others keep their order.</summary>
    public void RefuseWhatWaitedTooLong(Instant now)
    {
        if (!_units.Any(unit => unit.Waiting!.Deadline <= now))
            return;
        for (var left = _units.Count; left > 0; left--)
        {
            var unit = _units.Dequeue();
            if (unit.Waiting!.Deadline > now)
            {
                _units.Enqueue(unit);
                continue;
            }

            Release();
            unit.Waiting.Complete(WriteEnd.Of(WriteEndKind.WaitedTooLong));
        }
    }

    /// <summary>Tells all that wait that nothing of theirs has run and another leader may take it.</summary>
    public void RefuseAll()
    {
        while (_units.TryPeek(out var unit))
        {
            Take();
            unit.Waiting!.Complete(WriteEnd.Of(WriteEndKind.NotLeader));
        }
    }
}
