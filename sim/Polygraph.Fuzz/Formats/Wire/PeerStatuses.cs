using System.Text.Json;
using Polygraph.Fuzz.Drawing;
using Polygraph.Node.Control;
using Polygraph.Node.Http;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>What a node says of its replicas twice a second. It is kept, and every report of the cluster is made of it.</summary>
internal sealed class PeerStatuses : Codec<NodeStatus>
{
    public override string Name => "peer-status";

    protected override NodeStatus DrawValue(Dice dice)
        => new(dice.Many(() => new ReplicaStatus(
            (uint)dice.Number(),
            new ReplicaReport(
                dice.Name(), dice.Text(), dice.Number(), dice.Coin() ? dice.Number() : null, dice.Number(), dice.Number(), dice.MaybeText(), dice.Coin() ? dice.Below(1000) / 8.0 : null, null,
                dice.Coin(), dice.MaybeText()),
            dice.Number(), dice.MaybeText(), dice.Coin()), 3, 200));

    protected override byte[] Encode(NodeStatus value) => value.ToJson();

    protected override NodeStatus Decode(byte[] bytes) => NodeStatus.FromJson(bytes);

    protected override bool IsRefusal(Exception exception) => exception is JsonException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);

    /// <summary>What the reports use of it is there.</summary>
    public override void CheckAccepted(byte[] input)
    {
        base.CheckAccepted(input);
        foreach (var replica in Decode(input).Replicas)
            Same("A replica's node and role", "True", (replica.Report.Node is not null && replica.Report.Role is not null).ToString());
    }
}
