using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Peers;

/// <summary>Reads what <see cref="PeerMessageWriter"/> wrote, and refuses what no correct sender can have meant.</summary>
internal static class PeerMessageReader
{
    public static PeerMessage Read(PeerFrameKind kind, ref WireReader reader)
    {
        var term = reader.Term("term");
        return kind switch
        {
            PeerFrameKind.PreVoteRequest => new PreVoteRequest(term, reader.Term("next term"), reader.Position("last position")),
            PeerFrameKind.PreVoteReply => new PreVoteReply(term, reader.Term("next term"), reader.Flag("granted")),
            PeerFrameKind.VoteRequest => new VoteRequest(term, reader.Position("last position")),
            PeerFrameKind.VoteReply => new VoteReply(term, reader.Flag("granted")),
            PeerFrameKind.AppendRequest => ReadAppend(term, ref reader),
            PeerFrameKind.AppendAccepted
                => new AppendAccepted(term, reader.Index("durable"), reader.Index("applied"), reader.Varint("round"), ReadStamp(ref reader)),
            PeerFrameKind.AppendRejected
                => new AppendRejected(term, reader.Index("refused"), reader.Position("hint"), reader.Varint("round")),
            PeerFrameKind.Heartbeat => new Heartbeat(
                    term, reader.Index("commit"), reader.Varint("round"), reader.Index("retain"), ReadEcho(ref reader)),
            PeerFrameKind.HeartbeatReply
                => new HeartbeatReply(term, reader.Varint("round"), reader.Index("durable"), reader.Index("applied"), ReadStamp(ref reader)),
            PeerFrameKind.ReadIndexRequest => new ReadIndexRequest(term, reader.Varint("batch"), reader.UInt64("boot")),
            PeerFrameKind.ReadIndexReply
                => new ReadIndexReply(term, reader.Varint("batch"), reader.UInt64("boot"), reader.Flag("has an index") ? reader.Index("index") : null),
            PeerFrameKind.SnapshotNeeded => new SnapshotNeeded(term, reader.Position("base")),
            _ => throw WireReader.Unknown("the frame's kind", (byte)kind),
        };
    }

    private static AppendRequest ReadAppend(Term term, ref WireReader reader)
    {
        const int EntryBytesMin = 2;
        var previous = reader.Position("previous");
        var commit = reader.Index("commit");
        var round = reader.Varint("round");
        var echo = ReadEcho(ref reader);
        var count = reader.Count(WireLimits.FrameBytesMax, EntryBytesMin, "entries");

        // A list, not an array of the claimed size: an entry takes two bytes on the wire and many more in memory.
        var entries = new List<LogEntry>(Math.Min(count, 1024));
        var last = previous;
        for (var i = 0; i < count; i++)
        {
            var position = new Position(reader.Term("an entry's term"), last.Index.Next);
            if (position.Term < last.Term || position.Term > term)
                throw new WireFormatException($"Entry {position} follows {last} in an append request of {term}: terms grow along the log.");
            entries.Add(new(position, reader.Bytes(WireLimits.EntryBytesMax, "an entry")));
            last = position;
        }

        return new(term, previous, commit, round, echo, entries);
    }

    private static FreshnessStamp ReadStamp(ref WireReader reader)
        => new(reader.UInt64("the stamp's boot"), new Instant(reader.SignedVarint("the stamp's time")));

    private static FreshnessEcho? ReadEcho(ref WireReader reader)
        => reader.Flag("has an echo") ? new FreshnessEcho(ReadStamp(ref reader), reader.Index("the echo's commit")) : null;
}
