using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Nodes;

namespace Polygraph.Simulation.Engine;

/// <summary>
/// A storage engine under one simulated node: log, vote and SQLite in files of its own. The models of disk and SQLite go on beside it and say what
/// it must hold; what it holds after a crash is what the node starts with.
/// </summary>
public interface INodeEngine : IDisposable
{
    /// <summary>Makes jobs durable, in order, as one batch. <paramref name="told"/> hears the number of each that is said to be durable.</summary>
    void Persist(IReadOnlyList<IReadOnlyList<DiskWrite>> jobs, Action<int> told);

    /// <summary>
    /// The process dies, or the power fails, while these jobs are under way; then the engine is opened again. Returns what recovery found.
    /// </summary>
    EngineState Crash(CrashKind kind, IReadOnlyList<IReadOnlyList<DiskWrite>> underWay, Action<int> told);

    /// <summary>All entries that stand in files of cut entries.</summary>
    IReadOnlyList<LogEntry> CutEntries();

    /// <summary>Removes the log's beginning, at most up to here. Returns the position after which it begins now.</summary>
    Position Trim(Position through);

    /// <summary>The log is found damaged: it is thrown away with SQLite's state, the vote stays. The engine is open again.</summary>
    void Damage();

    /// <summary>A copy of what SQLite shows, for another node.</summary>
    IEngineSnapshot Copy(TermHistory terms);

    /// <summary>Verifies the copy and puts it in the place of SQLite, and of the log if need be. The engine is open again. Returns what it holds.</summary>
    EngineState Install(IEngineSnapshot copy);

    /// <summary>Leader: begins the transaction that holds a batch of writes.</summary>
    void BeginBatch();

    /// <summary>Leader: executes a write. Returns its entry, or the position of the entry that executed its key before.</summary>
    (LogEntry? Entry, Position Earlier) Execute(WriteRequest request, Position position);

    /// <summary>Leader: commits the batch; what SQLite then shows must be <paramref name="expected"/>.</summary>
    void CommitBatch(KeyValueState expected);

    /// <summary>Follower: applies a committed entry; what SQLite then shows must be <paramref name="expected"/>.</summary>
    void Apply(LogEntry entry, KeyValueState expected);

    /// <summary>Checkpoints SQLite if the engine's own rule allows it. Returns whether it did.</summary>
    bool Checkpoint(GroupView view);

    /// <summary>Throws away what SQLite holds beyond its last checkpoint. Returns what it then shows.</summary>
    KeyValueState Rewind();

    /// <summary>At the end of a history: reads every row, and compares with the digests that were kept along the way.</summary>
    void Verify(KeyValueState expected);
}

/// <summary>A copy of a node's SQLite on its way to another.</summary>
public interface IEngineSnapshot
{
    /// <summary>What it shows, as its receiver must find it.</summary>
    KeyValueState State { get; }
}

/// <summary>What an engine was found to hold when it was opened.</summary>
/// <param name="Vote">The vote.</param>
/// <param name="Base">The position just before the log's first entry.</param>
/// <param name="Terms">The terms of what came before the log.</param>
/// <param name="Log">The log's entries.</param>
/// <param name="CutEntries">All entries that stand in files of cut entries.</param>
/// <param name="Shown">What SQLite shows.</param>
public sealed record EngineState(
    Vote Vote, Position Base, TermHistory Terms, IReadOnlyList<LogEntry> Log, IReadOnlyList<LogEntry> CutEntries, KeyValueState Shown);

/// <summary>Makes the engines of a history's nodes, and what they have in common goes away with it.</summary>
public interface IEngineFactory : IDisposable
{
    /// <summary>The kinds of faults that these engines cannot be given: they do not exist in their world.</summary>
    IReadOnlyList<FaultKind> Without { get; }

    INodeEngine Create(NodeId node, ulong seed);
}
