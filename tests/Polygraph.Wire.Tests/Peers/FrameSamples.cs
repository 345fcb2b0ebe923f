using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Peers;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>One frame of each kind, with a different number in each field, so that two fields that change places are noticed.</summary>
internal static class FrameSamples
{
    private static readonly FreshnessStamp Stamp = new(0x1122334455667788, new(-5_000_001));

    private static readonly FreshnessEcho Echo = new(Stamp, new(300));

    public static readonly IReadOnlyDictionary<string, PeerFrame> All = new Dictionary<string, PeerFrame>
    {
        ["pre-vote-request"] = In(1, new PreVoteRequest(new(4), new(5), new(new(3), new(200)))),
        ["pre-vote-reply"] = In(2, new PreVoteReply(new(4), new(5), true)),
        ["vote-request"] = In(3, new VoteRequest(new(5), new(new(3), new(200)))),
        ["vote-reply"] = In(0xFFEEDDCC, new VoteReply(new(5), false)),
        ["append-request"] = In(5, new AppendRequest(new(6), new(new(3), new(200)), new(190), 77, Echo, [Entry(3, 201, "abc"), Entry(6, 202, "")])),
        ["append-probe"] = In(5, new AppendRequest(new(6), Position.Zero, LogIndex.Zero, 0, null, [])),
        ["append-accepted"] = In(6, new AppendAccepted(new(6), new(202), new(190), 77, Stamp)),
        ["append-rejected"] = In(7, new AppendRejected(new(6), new(200), new(new(2), new(150)), 78)),
        ["heartbeat"] = In(8, new Heartbeat(new(6), new(202), 79, new(180), Echo)),
        ["heartbeat-bare"] = In(8, new Heartbeat(new(6), new(202), 79, new(180), null)),
        ["heartbeat-reply"] = In(9, new HeartbeatReply(new(6), 79, new(202), new(201), Stamp)),
        ["read-index-request"] = In(10, new ReadIndexRequest(new(6), ulong.MaxValue, 0x1122334455667788)),
        ["read-index-reply"] = In(11, new ReadIndexReply(new(6), 12, 0x1122334455667788, new(202))),
        ["read-index-reply-none"] = In(11, new ReadIndexReply(new(6), 12, 0x1122334455667788, null)),
        ["snapshot-needed"] = In(11, new SnapshotNeeded(new(6), new(new(5), new(150)))),
        ["forward"] = new PeerFrame.Forward(1000, "request"u8.ToArray()),
        ["forward-reply"] = new PeerFrame.ForwardReply(1000, "response"u8.ToArray()),
        ["cluster-formed"] = new PeerFrame.ClusterFormed(
            new(UInt128.Parse("123456789012345678901234567890")), [new(new("n1"), new(0xA1)), new(new("n2"), new(0xB2))]),
    };

    public static readonly Hello Hello = new(
        1, 1, new(0xC1), new("n1"), new(0xA1), [new("n1"), new("n2"), new("n3")], "http://127.0.0.1:7001", "zone-a", "0.1.0", 4711, new("3.40.1", UInt128.Parse("987654321098765432109876543210")));

    /// <summary>As nodes said it that did not tell their SQLite library yet.</summary>
    public static readonly Hello HelloWithoutLibrary = Hello with { Sqlite = null };

    private static PeerFrame In(uint group, PeerMessage message) => new PeerFrame.Group(new(group), message);

    private static LogEntry Entry(ulong term, ulong index, string record)
        => new(new(new(term), new(index)), System.Text.Encoding.UTF8.GetBytes(record));
}
