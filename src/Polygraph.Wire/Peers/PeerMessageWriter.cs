using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Peers;

/// <summary>The bodies of a group's messages. Each begins with the sender's term; <see cref="PeerMessageReader"/> is its mirror.</summary>
internal static class PeerMessageWriter
{
    public static PeerFrameKind KindOf(PeerMessage message)
        => message switch
        {
            PreVoteRequest => PeerFrameKind.PreVoteRequest,
            PreVoteReply => PeerFrameKind.PreVoteReply,
            VoteRequest => PeerFrameKind.VoteRequest,
            VoteReply => PeerFrameKind.VoteReply,
            AppendRequest => PeerFrameKind.AppendRequest,
            AppendAccepted => PeerFrameKind.AppendAccepted,
            AppendRejected => PeerFrameKind.AppendRejected,
            Heartbeat => PeerFrameKind.Heartbeat,
            HeartbeatReply => PeerFrameKind.HeartbeatReply,
            ReadIndexRequest => PeerFrameKind.ReadIndexRequest,
            ReadIndexReply => PeerFrameKind.ReadIndexReply,
            SnapshotNeeded => PeerFrameKind.SnapshotNeeded,
            _ => throw new InvariantViolationException($"Message {message.GetType()} has no encoding."),
        };

    public static void Write(PeerMessage message, WireWriter writer)
    {
        writer.Term(message.Term);
        switch (message)
        {
            case PreVoteRequest request:
                writer.Term(request.NextTerm);
                writer.Position(request.LastLog);
                break;
            case PreVoteReply reply:
                writer.Term(reply.NextTerm);
                writer.Flag(reply.Granted);
                break;
            case VoteRequest request:
                writer.Position(request.LastLog);
                break;
            case VoteReply reply:
                writer.Flag(reply.Granted);
                break;
            case AppendRequest request:
                WriteAppend(request, writer);
                break;
            case AppendAccepted accepted:
                writer.Index(accepted.Durable);
                writer.Index(accepted.Applied);
                writer.Varint(accepted.Round);
                WriteStamp(accepted.Stamp, writer);
                break;
            case AppendRejected rejected:
                writer.Index(rejected.Refused);
                writer.Position(rejected.Hint);
                writer.Varint(rejected.Round);
                break;
            case Heartbeat heartbeat:
                writer.Index(heartbeat.Commit);
                writer.Varint(heartbeat.Round);
                writer.Index(heartbeat.Retain);
                WriteEcho(heartbeat.Echo, writer);
                break;
            case HeartbeatReply reply:
                writer.Varint(reply.Round);
                writer.Index(reply.Durable);
                writer.Index(reply.Applied);
                WriteStamp(reply.Stamp, writer);
                break;
            case ReadIndexRequest request:
                writer.Varint(request.Batch);
                writer.UInt64(request.Boot);
                break;
            case ReadIndexReply reply:
                writer.Varint(reply.Batch);
                writer.UInt64(reply.Boot);
                writer.Flag(reply.Index is not null);
                if (reply.Index is { } index)
                    writer.Index(index);
                break;
            case SnapshotNeeded needed:
                writer.Position(needed.Base);
                break;
            default:
                throw new InvariantViolationException($"Message {message.GetType()} has no encoding.");
        }
    }

    private static void WriteAppend(AppendRequest request, WireWriter writer)
    {
        writer.Position(request.Previous);
        writer.Index(request.Commit);
        writer.Varint(request.Round);
        WriteEcho(request.Echo, writer);

        // An entry's index is not sent: entries follow one another, and a message that cannot say otherwise cannot be wrong about it.
        var expected = request.Previous.Index;
        writer.Count(request.Entries.Count, WireLimits.FrameBytesMax, "entries");
        for (var i = 0; i < request.Entries.Count; i++)
        {
            var entry = request.Entries[i];
            expected = expected.Next;
            Invariant.Holds(entry.Position.Index == expected, "the entries of an append request follow one another");
            writer.Term(entry.Position.Term);
            writer.Bytes(entry.Record.Span, WireLimits.EntryBytesMax, "an entry");
        }
    }

    private static void WriteStamp(FreshnessStamp stamp, WireWriter writer)
    {
        writer.UInt64(stamp.Boot);
        writer.SignedVarint(stamp.At.Microseconds);
    }

    private static void WriteEcho(FreshnessEcho? echo, WireWriter writer)
    {
        writer.Flag(echo is not null);
        if (echo is not { } known)
            return;
        WriteStamp(known.Stamp, writer);
        writer.Index(known.Commit);
    }
}
