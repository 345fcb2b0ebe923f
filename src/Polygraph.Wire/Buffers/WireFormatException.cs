namespace Polygraph.Wire.Buffers;

/// <summary>
/// Bytes from outside are not what this version can read. The only exception that a decoder throws, whatever the bytes; it ends the request or
/// the connection that they came by, and nothing else.
/// </summary>
public sealed class WireFormatException : Exception
{
    public WireFormatException(string message)
        : base(message)
    {
    }

    public WireFormatException(string message, Exception cause)
        : base(message, cause)
    {
    }
}

/// <summary>
/// Something is larger than what one node may send to another (<see cref="WireLimits"/>). Thrown by encoders; the sender answers its own
/// client that the request or its result is too large.
/// </summary>
public sealed class WireLimitException(string message) : Exception(message);
