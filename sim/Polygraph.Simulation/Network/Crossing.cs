using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Network;

/// <summary>Something on its way over one link, perhaps twice. It is lost if the link is cut when it would arrive.</summary>
public abstract class Crossing : Happening
{
    private VirtualNetwork _network = null!;
    private VirtualNetwork.Link _link = null!;

    public static Crossing To(Action arrive) => new Plain(arrive);

    public sealed override void Happen()
    {
        if (_link.IsCut)
            _network.Lose(_link);
        else
            Arrive();
    }

    internal void Begin(VirtualNetwork network, VirtualNetwork.Link link) => (_network, _link) = (network, link);

    protected abstract void Arrive();

    private sealed class Plain(Action arrive) : Crossing
    {
        protected override void Arrive() => arrive();
    }
}
