using Polygraph.Nemesis.Network;

namespace Polygraph.Nemesis.Faults;

/// <summary>Traffic between nodes that fares badly: which directions, and how.</summary>
internal sealed class NetworkFault(PeerNetwork network, string kind, string description, IReadOnlyList<(string From, string To)> directions, Traffic traffic) : Fault
{
    private NetworkCounts _before;

    public override string Kind => kind;

    public override string Description => description;

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(800, 3500);

    public override bool IsOfTheNetwork => true;

    public override Task InjectAsync()
    {
        _before = network.Counts;
        foreach (var (from, to) in directions)
            network.Set(from, to, traffic);
        return Task.CompletedTask;
    }

    public override Task<string?> EvidenceAsync()
    {
        var done = network.Counts - _before;
        return Task.FromResult<string?>(
            done.Dropped > 0 ? $"{done.Dropped} bytes lost"
            : done.HeldUp > 0 ? $"{done.HeldUp} pieces held up"
            : null);
    }

    public override Task HealAsync()
    {
        foreach (var (from, to) in directions)
            network.Set(from, to, Traffic.Flows);
        return Task.CompletedTask;
    }
}

/// <summary>Connections that are reset, once or as often as they come back.</summary>
internal sealed class ResetFault(PeerNetwork network, IReadOnlyList<(string One, string Other)> pairs) : Fault
{
    private NetworkCounts _before;

    public override string Kind => "reset";

    public override string Description => $"reset the connections {string.Join(' ', pairs.Select(pair => $"{pair.One}-{pair.Other}"))}";

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(0, 400);

    public override bool IsOfTheNetwork => true;

    public override Task InjectAsync()
    {
        _before = network.Counts;
        ResetPairs();
        return Task.CompletedTask;
    }

    public override Task<string?> EvidenceAsync()
        => Task.FromResult<string?>((network.Counts - _before).Resets is > 0 and var resets ? $"{resets} connections reset" : null);

    // Whoever has dialled again meanwhile is reset in the middle of its handshake.
    public override Task HealAsync()
    {
        ResetPairs();
        return Task.CompletedTask;
    }

    private void ResetPairs()
    {
        foreach (var (one, other) in pairs)
            network.ResetBetween(one, other);
    }
}
