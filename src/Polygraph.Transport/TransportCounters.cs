namespace Polygraph.Transport;

/// <summary>Counts what a transport does; any thread.</summary>
internal sealed class TransportCounters
{
    private long _framesSent;
    private long _bytesSent;
    private long _framesReceived;
    private long _bytesReceived;
    private long _droppedNotConnected;
    private long _droppedQueueFull;
    private long _droppedTooLarge;

    public TransportCounts Snapshot()
        => new(
            Volatile.Read(ref _framesSent),
            Volatile.Read(ref _bytesSent),
            Volatile.Read(ref _framesReceived),
            Volatile.Read(ref _bytesReceived),
            Volatile.Read(ref _droppedNotConnected),
            Volatile.Read(ref _droppedQueueFull),
            Volatile.Read(ref _droppedTooLarge));

    public void Sent(int frames, int bytes)
    {
        Interlocked.Add(ref _framesSent, frames);
        Interlocked.Add(ref _bytesSent, bytes);
    }

    public void Received(int bytes)
    {
        Interlocked.Increment(ref _framesReceived);
        Interlocked.Add(ref _bytesReceived, bytes);
    }

    public void DropNotConnected(int frames) => Interlocked.Add(ref _droppedNotConnected, frames);

    public void DropQueueFull() => Interlocked.Increment(ref _droppedQueueFull);

    public void DropTooLarge() => Interlocked.Increment(ref _droppedTooLarge);
}
