using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>Frames of every kind with numbers of every size; the same seed gives the same frames.</summary>
internal sealed class RandomFrames(int seed)
{
    private readonly Random _random = new(seed);

    public PeerFrame Next()
        => _random.Next(15) switch
        {
            0 => new PeerFrame.Forward(Number(), Bytes()),
            1 => new PeerFrame.ForwardReply(Number(), Bytes()),
            2 => new PeerFrame.ClusterFormed(new(new UInt128(Number(), Number())), [.. Many(() => new MemberIdentity(Name(), new(Number())))]),
            var kind => new PeerFrame.Group(new((uint)Number()), Message(kind)),
        };

    private PeerMessage Message(int kind)
        => kind switch
        {
            3 => new PreVoteRequest(Term(), Term(), Position()),
            4 => new PreVoteReply(Term(), Term(), Coin()),
            5 => new VoteRequest(Term(), Position()),
            6 => new VoteReply(Term(), Coin()),
            7 => Append(),
            8 => new AppendAccepted(Term(), Index(), Index(), Number(), Stamp()),
            9 => new AppendRejected(Term(), Index(), Position(), Number()),
            10 => new Heartbeat(Term(), Index(), Number(), Index(), Echo()),
            11 => new HeartbeatReply(Term(), Number(), Index(), Index(), Stamp()),
            12 => new ReadIndexRequest(Term(), Number(), Number()),
            13 => new SnapshotNeeded(Term(), Position()),
            _ => new ReadIndexReply(Term(), Number(), Number(), Coin() ? Index() : null),
        };

    private AppendRequest Append()
    {
        var previous = Position();
        var term = previous.Term;
        var index = previous.Index;
        var entries = Many(() =>
        {
            term = new(Math.Min(WireLimits.PositionMax, term.Value + (ulong)_random.Next(2)));
            index = index.Next;
            return new LogEntry(new(term, index), Bytes());
        });
        return new(term, previous, Index(), Number(), Echo(), entries);
    }

    private List<T> Many<T>(Func<T> one) => [.. Enumerable.Range(0, _random.Next(6)).Select(_ => one())];

    private bool Coin() => _random.Next(2) == 0;

    private ulong Number() => (ulong)_random.NextInt64(long.MinValue, long.MaxValue) >> _random.Next(64);

    private Term Term() => new(Number() >> 3);

    private LogIndex Index() => new(Number() >> 3);

    private Position Position() => new(Term(), Index());

    private FreshnessStamp Stamp() => new(Number(), new((long)Number()));

    private FreshnessEcho? Echo() => Coin() ? new(Stamp(), Index()) : null;

    private NodeId Name() => new("n" + _random.Next(1, 1000));

    private byte[] Bytes()
    {
        var bytes = new byte[_random.Next(_random.Next(10) == 0 ? 4096 : 40)];
        _random.NextBytes(bytes);
        return bytes;
    }
}
