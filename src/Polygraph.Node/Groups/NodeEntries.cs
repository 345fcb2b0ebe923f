using Polygraph.Protocol;
using Polygraph.Wire.Log;

namespace Polygraph.Node.Groups;

/// <summary>Entries that the node itself puts into a log.</summary>
internal static class NodeEntries
{
    /// <summary>A mark at which every replica reads all its rows.</summary>
    public static LogEntry EncodeMark(Position position, Guid verification, ulong hybridTime, long wallMicroseconds, ClientWrite write)
    {
        var header = new EntryHeader
        {
            Position = position,
            Payload = PayloadFormat.VerifyMark,
            WallTimeMicroseconds = wallMicroseconds,
            HybridTime = hybridTime,
            AckRequested = write.Ack.Level,
            Principal = write.Principal,
        };
        return new LogEntry(position, EntryCodec.Encode(header, verification.ToByteArray()));
    }

    /// <summary>A new leader's first entry of its term.</summary>
    public static LogEntry EncodeNoOp(Position position, ulong hybridTime, long wallMicroseconds)
    {
        var header = new EntryHeader
        {
            Position = position,
            Payload = PayloadFormat.NoOp,
            WallTimeMicroseconds = wallMicroseconds,
            HybridTime = hybridTime,
        };
        return new LogEntry(position, EntryCodec.Encode(header, []));
    }

    /// <summary>The hybrid time that an entry carries.</summary>
    public static ulong HybridTimeOf(LogEntry entry) => EntryCodec.Decode(entry.Record).Header.HybridTime;
}
