namespace Polygraph.Simulation.Faults;

/// <summary>
/// One thing that was made to go wrong. It <em>bites</em> when something comes of it (a message is lost to the cut, a sync fails): a fault
/// that nothing met was injected and proves nothing.
/// </summary>
public sealed class Injury(FaultKind kind, Action<FaultKind> bitten)
{
    private bool _hasBitten;

    public FaultKind Kind { get; } = kind;

    public void Bite()
    {
        if (_hasBitten)
            return;
        _hasBitten = true;
        bitten(Kind);
    }
}
