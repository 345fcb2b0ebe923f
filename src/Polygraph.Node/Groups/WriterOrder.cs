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

    /// <summary>What waits for its turn at the writer, first come, first served.</summary>
    public bool IsUnit => this is Execute or Begin or Mark;

    /// <summary>The client's side of a unit.</summary>
    public ClientWrite? Waiting
        => this switch
        {
            Execute execute => execute.Write,
            Begin begin => begin.Write,
            Continue next => next.Write,
            Mark mark => mark.Write,
            _ => null,
        };

    /// <summary>A client's unit: runs if this node leads when it is its turn.</summary>
    public sealed record Execute(ClientWrite Write) : WriterOrder;

    /// <summary>A client's transaction: when it is its turn the writer is lent to it, and its first unit runs.</summary>
    public sealed record Begin(ClientWrite Write, LentTransaction Transaction) : WriterOrder;

    /// <summary>The next request of the transaction that has the writer. Goes before everything that waits.</summary>
    public sealed record Continue(ClientWrite Write, LentTransaction Transaction) : WriterOrder;

    /// <summary>Put a verification mark into the log.</summary>
    public sealed record Mark(ClientWrite Write, Guid Verification) : WriterOrder;
}
