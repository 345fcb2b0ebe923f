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
