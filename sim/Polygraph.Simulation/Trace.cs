using System.Globalization;
using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation;

/// <summary>
/// What happened, as one number, and on demand in words. Two runs of a seed must give the same number; the words are made only when somebody
/// wants to read them, because making them costs more than the simulation.
/// </summary>
public sealed class Trace(Action<string>? line)
{
    private VirtualTime? _time;

    /// <summary>Whether there is a reader.</summary>
    public bool IsRead => line is not null;

    /// <summary>Depends on every step of every node: its time, its input, its effects and the state after it.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    public void Follow(VirtualTime time) => _time = time;

    public void Step(SimulatedNode node, Input input, IReadOnlyList<Effect> effects)
    {
        var view = node.View;
        Fold((ulong)_time!.Now);
        Fold(((ulong)node.Number << 32) | (uint)effects.Count);
        Fold(view.Term.Value ^ (view.Appended.Index.Value << 16) ^ (view.Committed.Value << 32) ^ (view.Applied.Index.Value << 48));
        Fold(((ulong)view.Role << 32) ^ view.Durable.Value);
        if (line is null)
            return;
        Write(node, $"<- {TraceText.Of(input)}");
        foreach (var effect in effects)
            Write(node, $"   -> {TraceText.Of(effect)}");
        Write(node, $"   == {view.Role} {view.Term} leader {view.Leader} log {view.Appended} durable {view.Durable} committed {view.Committed} applied {view.Applied}");
    }

    /// <summary>Something that is not a step: a fault, a client's decision.</summary>
    public void Note(SimulatedNode? node, string text)
    {
        Fold((ulong)_time!.Now + (ulong)text.Length);
        Write(node, text);
    }

    public void Write(SimulatedNode? node, string text)
        => line?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{(_time?.Now ?? 0) / 1000.0,12:0.000}ms {node?.Id.Value ?? "--"} {text}"));

    private void Fold(ulong value) => Hash = ulong.RotateLeft((Hash ^ value) * 1099511628211, 23);
}
