namespace Polygraph.Node.Http;

/// <summary>
/// Counts what all requests together take of this node, and refuses what passes the limits. Shared by all request threads; every field is
/// changed by interlocked operations only.
/// </summary>
internal sealed class InFlight(HttpLimits limits)
{
    private long _requests;
    private long _bodyBytes;

    public HttpLimits Limits { get; } = limits;

    public long Requests => Interlocked.Read(ref _requests);

    public void EnterRequest()
    {
        if (Interlocked.Increment(ref _requests) <= Limits.RequestsInFlightMax)
            return;
        Interlocked.Decrement(ref _requests);
        throw Refusals.Overloaded($"{Limits.RequestsInFlightMax} requests are running or waiting here already.");
    }

    public void LeaveRequest() => Interlocked.Decrement(ref _requests);

    public void ReserveBody(long bytes)
    {
        if (Interlocked.Add(ref _bodyBytes, bytes) <= Limits.BodyBytesInFlightMax)
            return;
        Interlocked.Add(ref _bodyBytes, -bytes);
        throw Refusals.Overloaded($"Bodies of {Limits.BodyBytesInFlightMax} bytes in all are being read or executed here already.");
    }

    public void ReleaseBody(long bytes) => Interlocked.Add(ref _bodyBytes, -bytes);
}
