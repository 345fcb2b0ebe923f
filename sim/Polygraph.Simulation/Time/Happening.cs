namespace Polygraph.Simulation.Time;

/// <summary>
/// Something that will happen in the simulated world. What happens thousands of times in a simulated second is a small class of its own, with
/// the few things that it needs; everything else is an action.
/// </summary>
public abstract class Happening
{
    public static Happening Of(Action action) => new Plain(action);

    public abstract void Happen();

    private sealed class Plain(Action action) : Happening
    {
        public override void Happen() => action();
    }
}
