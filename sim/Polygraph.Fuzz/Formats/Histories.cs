using Polygraph.Checkers.Generation;
using Polygraph.Checkers.Histories;
using Polygraph.Fuzz.Drawing;

namespace Polygraph.Fuzz.Formats;

/// <summary>Histories of clients, as the checkers read them: also those of a harness that was killed while it wrote.</summary>
internal sealed class Histories : Codec<History>
{
    public override string Name => "history";

    public override int Weight => 4;

    /// <summary>The buffer of a line, and the words that come again and again.</summary>
    public override int AllocationBaseMax => 256 * 1024;

    protected override History DrawValue(Dice dice)
    {
        var history = HistoryGenerator.Generate(
            new GeneratorOptions(dice.Pick(Enum.GetValues<Workload>()), dice.Between(1, 8), dice.Below(int.MaxValue), Clients: 2, Keys: 2, HasFaults: dice.Coin()));
        return history with { IsCut = !history.Events.OfType<HistoryEvent.End>().Any() };
    }

    protected override byte[] Encode(History value)
    {
        var stream = new MemoryStream();
        using (var writer = new HistoryWriter(stream, value.Header))
        {
            foreach (var happened in value.Events)
                writer.Write(happened);
            foreach (var operation in value.Operations)
                writer.Write(operation);
        }

        return stream.ToArray();
    }

    protected override History Decode(byte[] bytes) => History.Load(new MemoryStream(bytes));

    protected override bool IsRefusal(Exception exception) => exception is MalformedHistoryException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);

    protected override string ShapeOf(History value)
        => Shape.Of(value.Header) + Shape.Of(value.Operations) + Shape.Of(value.Events) + value.IsCut;
}
