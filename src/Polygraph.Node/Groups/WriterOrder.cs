using Polygraph.Protocol;

namespace Polygraph.Node.Groups;

/// <summary>What the group loop tells the writer, in order. Closed: the nested types are all there are.</summary>
internal abstract record WriterOrder
{
    private WriterOrder()
    {
    }

    public sealed record Apply(ulong Generation, LogIndex Through) : WriterOrder;

    public sealed record Lead(ulong Generation, Term Term, LogIndex Next) : WriterOrder;

    public sealed record StopLead(ulong Generation) : WriterOrder;

    public sealed record Rewind(ulong Generation) : WriterOrder;

    /// <summary>A client's unit: runs if this node leads when it is its turn.</summary>
    public sealed record Execute(ClientWrite Write) : WriterOrder;

    /// <summary>Put a verification mark into the log.</summary>
    public sealed record Mark(ClientWrite Write, Guid Verification) : WriterOrder;
}
