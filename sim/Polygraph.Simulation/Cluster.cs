using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Network;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation;

/// <summary>How long things inside a node take, in microseconds, and how often SQLite is checkpointed.</summary>
public sealed record NodeDelays
{
    /// <summary>From one thread of a node to another.</summary>
    public (long Min, long Max) Report { get; init; } = (1, 400);

    /// <summary>From the permission to read to the open snapshot.</summary>
    public (long Min, long Max) Snapshot { get; init; } = (1, 400);

    /// <summary>One command or one batch of the writer.</summary>
    public (long Min, long Max) Writer { get; init; } = (10, 3_000);

    /// <summary>How late a timer rings.</summary>
    public (long Min, long Max) Tick { get; init; } = (0, 2_000);

    /// <summary>One sync of a disk that nothing is wrong with.</summary>
    public static (long Min, long Max) FastSync => (80, 2_000);

    /// <summary>One sync of a disk.</summary>
    public (long Min, long Max) Sync { get; init; } = FastSync;

    /// <summary>One sync of the disk of <see cref="SlowNode"/>; null if no disk is slower than the others.</summary>
    public (long Min, long Max)? SlowSync { get; init; }

    /// <summary>The number of the node whose disk is slower than the others.</summary>
    public int SlowNode { get; init; }

    /// <summary>One sync of this node's disk.</summary>
    public (long Min, long Max) SyncOf(int node) => node == SlowNode ? SlowSync ?? Sync : Sync;

    /// <summary>How many of a thousand pieces of the writer's work are followed by a checkpoint.</summary>
    public int CheckpointPerMille { get; init; } = 50;

    /// <summary>How many of a thousand checkpoints are followed by a trim of the log, as far as all voters hold it.</summary>
    public int TrimPerMille { get; init; }

    /// <summary>How many of a thousand trims go as far as the checkpoint, whoever may still need the entries: the log has reached its bound.</summary>
    public int BoundPerMille { get; init; }

    /// <summary>From the need of a snapshot until it is there.</summary>
    public (long Min, long Max) Transfer { get; init; } = (1_000, 50_000);
}

/// <summary>
/// A whole cluster in one thread: nodes, links, disks and clocks, all driven by one seed, and the checks that watch them. Whoever owns it
/// decides what happens to it: the seeds of a simulation, or the lines of a scenario.
/// </summary>
public sealed class Cluster
{
    /// <summary>No history of a simulation's length needs more events than this; one that does is turning on the spot.</summary>
    public const long EventsMax = 3_000_000;

    private readonly Dice _dice;

    public Cluster(
        int nodes, ulong seed, GroupOptions options, NodeDelays delays, PlantedBug bug, Trace trace, IEngineFactory? engines = null)
    {
        _dice = new Dice(seed);
        (Options, Delays, Tampering, Trace) = (options, delays, new Tampering(bug), trace);
        trace.Follow(Time);
        Network = new VirtualNetwork(nodes, Time, _dice.Fork());
        var history = new CommittedHistory();
        LogChecks = new LogChecks(history, () => Time.Now);
        AnswerChecks = new AnswerChecks(history, LogChecks, () => Nodes!, Node);
        NodeId[] voters = [.. Enumerable.Range(1, nodes).Select(number => new NodeId($"n{number}"))];
        Nodes = [.. Enumerable.Range(0, nodes).Select(number => new SimulatedNode(this, number, voters, _dice.Fork(), engines))];
        foreach (var node in Nodes)
            node.Disk.SyncMicroseconds = delays.SyncOf(node.Number);
        LogChecks.Watch(Nodes, Node);
    }

    public VirtualTime Time { get; } = new() { HappenedMax = EventsMax };

    public VirtualNetwork Network { get; }

    public GroupOptions Options { get; }

    public NodeDelays Delays { get; }

    public Tampering Tampering { get; }

    public Trace Trace { get; }

    public LogChecks LogChecks { get; }

    public AnswerChecks AnswerChecks { get; }

    public SimulatedNode[] Nodes { get; }

    /// <summary>Hears what the nodes announce.</summary>
    public Action<SimulatedNode, GroupEvent>? Announced { get; set; }

    /// <summary>The bounds of each clock's drift.</summary>
    public int DriftPartsPerMillionMax { get; init; }

    /// <summary>The living node that leads in the highest term; null if none does.</summary>
    public SimulatedNode? Leader
    {
        get
        {
            SimulatedNode? leader = null;
            foreach (var node in Nodes)
                if (node.IsAlive && node.View.Role == Role.Leader && (leader is null || node.View.Term > leader.View.Term))
                    leader = node;
            return leader;
        }
    }

    /// <summary>The node of this name; the name says its place.</summary>
    public SimulatedNode Node(NodeId id)
    {
        var place = id.Value[^1] - '1';
        return place >= 0 && place < Nodes.Length && Nodes[place].Id == id
            ? Nodes[place]
            : throw new InvalidOperationException($"The core sends to {id}, which is no member.");
    }

    /// <summary>Starts a node, for the first time or again.</summary>
    public void Start(SimulatedNode node)
        => node.Start(_dice.Next(), (int)_dice.Between(-DriftPartsPerMillionMax, DriftPartsPerMillionMax));

    public void StartAll()
    {
        foreach (var node in Nodes)
            Start(node);
    }

    /// <summary>Ends everything that is wrong with nodes, links and disks.</summary>
    public void HealAll()
    {
        Network.HealAll();
        Network.Unclog();
        Network.SpeedUp();
        Network.Behaviour = Network.Behaviour with { LossPerMille = 0, DuplicatePerMille = 0 };
        foreach (var node in Nodes)
        {
            node.Pardon();
            node.Disk.SyncMicroseconds = NodeDelays.FastSync;
            node.Disk.Mend();
            if (!node.IsAlive)
                Start(node);
            if (node.IsPaused)
                node.Resume();
        }
    }

    /// <summary>Whether all replicas of members hold, have committed and show the same, and nobody waits for anything.</summary>
    public bool IsAtRest()
    {
        if (Leader is not { } leader)
            return false;
        foreach (var node in Nodes)
            if (!node.IsStranger && !IsAtRestWith(node, leader))
                return false;
        return true;
    }

    private static bool IsAtRestWith(SimulatedNode node, SimulatedNode leader)
        => node.View.Committed == leader.View.Appended.Index
            && node.View.Appended == leader.View.Appended
            && node.View.Durable == leader.View.Appended.Index
            && node.Writer.State.Position == leader.View.Appended
            && node.View.Applied == leader.View.Appended
            && node.Writer.State.Digest == leader.Writer.State.Digest
            && node.FrontDoor.Waiting == 0;
}
