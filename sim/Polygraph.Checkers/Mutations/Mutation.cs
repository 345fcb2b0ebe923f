namespace Polygraph.Checkers.Mutations;

/// <summary>A way to make a good history bad, as a broken database would.</summary>
public enum Mutation
{
    /// <summary>A read shows what was there before something that was acknowledged by then.</summary>
    StaleRead,

    /// <summary>An acknowledged write is gone from all later reads.</summary>
    LostWrite,

    /// <summary>An acknowledged append, or addition, is gone from all reads.</summary>
    LostAppend,

    /// <summary>An element is there twice from some time on.</summary>
    Duplicate,

    /// <summary>A read has two elements in another order than another read.</summary>
    Reordered,

    /// <summary>A read shows something that nobody put there.</summary>
    Phantom,

    /// <summary>A read shows only one side of a transfer.</summary>
    HalfTransfer,

    /// <summary>A transfer is done twice in all later reads.</summary>
    DoubleTransfer,

    /// <summary>Two reads, one after the other, have each other's answer.</summary>
    SwappedReads,

    /// <summary>A read shows something that began only after it.</summary>
    ReadOfTheFuture,

    /// <summary>A new leader lacks the last acknowledged operations: reads show them until then, and never again.</summary>
    CutTail,
}
