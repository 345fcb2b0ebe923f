using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>What travels between nodes after the handshake.</summary>
internal sealed class PeerFrames : Codec<PeerFrame>
{
    public override string Name => "peer-frame";

    public override int Weight => 32;

    protected override PeerFrame DrawValue(Dice dice)
        => dice.Below(15) switch
        {
            0 => new PeerFrame.Forward(dice.Number(), dice.Bytes(80)),
            1 => new PeerFrame.ForwardReply(dice.Number(), dice.Bytes(80)),
            2 => new PeerFrame.ClusterFormed(
                new(new UInt128(dice.Bits(), dice.Bits())), dice.Many(() => new MemberIdentity(new(dice.Name()), new(dice.Bits())), 4, WireLimits.NodesMax)),
            var kind => new PeerFrame.Group(new((uint)dice.Number()), Message(dice, kind)),
        };

    protected override byte[] Encode(PeerFrame value)
    {
        using var writer = new WireWriter(WireLimits.FrameBytesMax + PeerFrameCodec.PrefixBytes);
        PeerFrameCodec.Encode(value, writer);
        return writer.ToArray();
    }

    protected override PeerFrame Decode(byte[] bytes)
        => bytes.Length >= PeerFrameCodec.PrefixBytes
            ? PeerFrameCodec.Decode(bytes.AsSpan(0, PeerFrameCodec.PrefixBytes), bytes.AsMemory(PeerFrameCodec.PrefixBytes))
            : throw new WireFormatException("No transport hands over less than a prefix.");

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;

    protected override void Seal(byte[] mutated) => Seals.LengthAndChecksum(mutated, 0);

    private static PeerMessage Message(Dice dice, int kind)
        => kind switch
        {
            3 => new PreVoteRequest(Term(dice), Term(dice), At(dice)),
            4 => new PreVoteReply(Term(dice), Term(dice), dice.Coin()),
            5 => new VoteRequest(Term(dice), At(dice)),
            6 => new VoteReply(Term(dice), dice.Coin()),
            7 => Append(dice),
            8 => new AppendAccepted(Term(dice), Index(dice), Index(dice), dice.Number(), Stamp(dice)),
            9 => new AppendRejected(Term(dice), Index(dice), At(dice), dice.Number()),
            10 => new Heartbeat(Term(dice), Index(dice), dice.Number(), Index(dice), Echo(dice)),
            11 => new HeartbeatReply(Term(dice), dice.Number(), Index(dice), Index(dice), Stamp(dice)),
            12 => new ReadIndexRequest(Term(dice), dice.Number(), dice.Number()),
            13 => new SnapshotNeeded(Term(dice), At(dice)),
            _ => new ReadIndexReply(Term(dice), dice.Number(), dice.Number(), dice.Coin() ? Index(dice) : null),
        };

    private static AppendRequest Append(Dice dice)
    {
        var previous = new Position(new(dice.Number() >> 3), new(dice.Number() >> 3));
        var (term, index) = (previous.Term, previous.Index);
        var entries = dice.Many(() =>
        {
            term = new(term.Value + (ulong)dice.Below(2));
            index = index.Next;
            return new LogEntry(new(term, index), dice.Bytes());
        });
        return new(term, previous, Index(dice), dice.Number(), Echo(dice), entries);
    }

    private static Term Term(Dice dice) => new(dice.Number() >> 2);

    private static LogIndex Index(Dice dice) => new(dice.Number() >> 2);

    private static Position At(Dice dice) => new(Term(dice), Index(dice));

    private static FreshnessStamp Stamp(Dice dice) => new(dice.Bits(), new(dice.Signed()));

    private static FreshnessEcho? Echo(Dice dice) => dice.Coin() ? new(Stamp(dice), Index(dice)) : null;
}
