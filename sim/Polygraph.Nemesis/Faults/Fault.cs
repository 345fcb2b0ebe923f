using Polygraph.Nemesis.Clusters;

namespace Polygraph.Nemesis.Faults;

/// <summary>
/// Something that goes wrong for a while. Injected, held, asked for evidence that it did harm, and healed, by one task.
/// </summary>
internal abstract class Fault
{
    /// <summary>The word for it in histories and on the command line.</summary>
    public abstract string Kind { get; }

    /// <summary>The node that it is about; null if it is about several.</summary>
    public virtual AttackedNode? Target => null;

    /// <summary>What is done, in words.</summary>
    public abstract string Description { get; }

    /// <summary>How long it lasts, between two bounds.</summary>
    public abstract (TimeSpan Min, TimeSpan Max) Hold { get; }

    /// <summary>Whether it acts on links, of which only one fault at a time has charge.</summary>
    public virtual bool IsOfTheNetwork => false;

    public abstract Task InjectAsync();

    /// <summary>
    /// A trace of it beyond what was done by us: bytes that were lost, a node that says that its disk is full. Null if there is none, so that a fault
    /// that had no effect is not counted as survived. Asked right before it is healed.
    /// </summary>
    public abstract Task<string?> EvidenceAsync();

    public abstract Task HealAsync();

    protected static (TimeSpan Min, TimeSpan Max) Milliseconds(int min, int max) => (TimeSpan.FromMilliseconds(min), TimeSpan.FromMilliseconds(max));
}
