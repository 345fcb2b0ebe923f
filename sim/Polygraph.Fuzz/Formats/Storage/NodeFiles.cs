using Polygraph.Fuzz.Drawing;
using Polygraph.Node;
using Polygraph.Node.Identity;
using Polygraph.Protocol;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>Whom a data directory belongs to.</summary>
internal sealed class NodeFiles : Codec<(MemberIdentity Self, FormedCluster? Formed)>
{
    public override string Name => "node-json";

    protected override (MemberIdentity Self, FormedCluster? Formed) DrawValue(Dice dice)
        => (Member(dice), dice.Coin() ? new FormedCluster(new(new UInt128(dice.Bits(), dice.Bits())), dice.Many(() => Member(dice), 4, 128)) : null);

    protected override byte[] Encode((MemberIdentity Self, FormedCluster? Formed) value) => DataDirectory.ToJson(value.Self, value.Formed);

    protected override (MemberIdentity Self, FormedCluster? Formed) Decode(byte[] bytes) => DataDirectory.Parse(bytes, "data");

    protected override bool IsRefusal(Exception exception) => exception is NodeStartException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);

    protected override string ShapeOf((MemberIdentity Self, FormedCluster? Formed) value) => Shape.Of(value.Self) + Shape.Of(value.Formed);

    private static MemberIdentity Member(Dice dice) => new(new(dice.Name()), new(dice.Bits()));
}
