using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;

namespace Polygraph.Node.Groups;

/// <summary>What the writer needs of the replica around it.</summary>
internal interface IWriterReports
{
    /// <summary>Tells the group loop; never blocks.</summary>
    void Report(Input input);

    /// <summary>The replica as the group loop last published it: how far the log is durable and committed.</summary>
    Protocol.LeaderBased.GroupView View { get; }

    /// <summary>The unit ran without making an entry: it may be answered once everything that it saw is committed.</summary>
    void AnswerWhenCommitted(ClientWrite write, WriteEnd end, Position seen);

    /// <summary>A verification mark was reached; the snapshot shows exactly the state at it and belongs to the receiver.</summary>
    void MarkReached(Guid verification, Snapshot snapshot);

    /// <summary>VACUUM could not be run here. The rows are as they were, and the file is as large.</summary>
    void VacuumFailed(string reason);

    /// <summary>The database was opened anew.</summary>
    void Reopened(ReaderPool readers);
}
