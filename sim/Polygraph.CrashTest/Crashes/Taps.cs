using Polygraph.CrashTest.Io;

namespace Polygraph.CrashTest.Crashes;

/// <summary>Writes down every operation.</summary>
internal sealed class RecordingTap : IIoTap
{
    public List<IoPoint> Points { get; } = [];

    public IoDecision Before(in IoPoint point)
    {
        Points.Add(point);
        return IoDecision.Proceed;
    }

    public void After(in IoPoint point, ReadOnlySpan<byte> written)
    {
    }

    public void Die() => throw new InvalidOperationException("Nothing dies while it is recorded.");
}

/// <summary>Kills the process right before its n-th operation, or in the middle of it if it is a write.</summary>
internal sealed class KillTap(int at, bool torn) : IIoTap
{
    private int _count;

    public IoDecision Before(in IoPoint point)
    {
        if (++_count != at)
            return IoDecision.Proceed;
        if (torn)
            return new(IoFailure.None, point.Bytes / 2);
        Die();
        return default;
    }

    public void After(in IoPoint point, ReadOnlySpan<byte> written)
    {
    }

    public void Die() => ChildProcess.Die();
}

/// <summary>
/// Lets the n-th operation fail, in the middle if it is a write. A full disk stays full: everything that needs room fails from then on. A device fails
/// once.
/// </summary>
internal sealed class FaultTap(int at, IoFailure failure) : IIoTap
{
    private int _count;

    public IoDecision Before(in IoPoint point)
    {
        _count++;
        var fails = _count == at || (_count > at && failure == IoFailure.NoSpace && point.Kind is (IoKind.Write or IoKind.Create));
        return fails ? new(failure, point.Kind == IoKind.Write ? point.Bytes / 2 : null) : IoDecision.Proceed;
    }

    public void After(in IoPoint point, ReadOnlySpan<byte> written)
    {
    }

    public void Die() => throw new InvalidOperationException("A write that fails does not end the process.");
}
