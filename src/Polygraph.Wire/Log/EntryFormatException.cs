namespace Polygraph.Wire.Log;

/// <summary>
/// Bytes that were given as a log entry are not one that this version can read: malformed, or written by a newer version. The message says
/// which field, and what to do.
/// </summary>
public sealed class EntryFormatException : Exception
{
    public EntryFormatException(string message)
        : base(message)
    {
    }

    public EntryFormatException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
