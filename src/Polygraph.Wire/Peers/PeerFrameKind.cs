namespace Polygraph.Wire.Peers;

/// <summary>The byte that says what a frame is. A number is never used again for something else.</summary>
public enum PeerFrameKind : byte
{
    PreVoteRequest = 1,
    PreVoteReply = 2,
    VoteRequest = 3,
    VoteReply = 4,
    AppendRequest = 5,
    AppendAccepted = 6,
    AppendRejected = 7,
    Heartbeat = 8,
    HeartbeatReply = 9,
    ReadIndexRequest = 10,
    ReadIndexReply = 11,
    SnapshotNeeded = 12,

    Forward = 64,
    ForwardReply = 65,
    ClusterFormed = 66,
}
