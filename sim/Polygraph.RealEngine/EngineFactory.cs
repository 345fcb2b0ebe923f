using Polygraph.CrashTest.Io;
using Polygraph.Protocol;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Faults;

namespace Polygraph.RealEngine;

/// <summary>The engines of one history, in a directory of their own. One at a time in a process: SQLite has one set of file functions.</summary>
internal sealed class EngineFactory : IEngineFactory
{
    private readonly DirectoryInfo _root;
    private readonly EngineTap _tap;
    private readonly List<EngineNode> _nodes = [];

    public EngineFactory()
    {
        // Syncs of a memory file system cost nothing; what is durable is modelled.
        _root = Directory.Exists("/dev/shm")
            ? Directory.CreateDirectory($"/dev/shm/polygraph-engine-{Environment.ProcessId}-{Guid.NewGuid():n}")
            : Directory.CreateTempSubdirectory("polygraph-engine-");
        _tap = new EngineTap(_root.FullName);
        TappedVfs.Install(_tap);
    }

    /// <summary>
    /// The engine's files take writes, and what is synced stays: no sync fails and no byte changes afterwards, and a data directory is never
    /// emptied. A torn tail of its own is left out because every loss of power here tears what was being written.
    /// </summary>
    public IReadOnlyList<FaultKind> Without { get; } = [FaultKind.TornTail, FaultKind.FailingSync, FaultKind.FullDisk, FaultKind.BitRot, FaultKind.Reformat];

    public INodeEngine Create(NodeId node, ulong seed)
    {
        var home = Directory.CreateDirectory(Path.Combine(_root.FullName, node.Value));
        var engine = new EngineNode(node, home.FullName, _tap, (int)(uint)seed);
        _nodes.Add(engine);
        return engine;
    }

    public void Dispose()
    {
        foreach (var node in _nodes)
            node.Dispose();
        TappedVfs.Install(null);
        _root.Delete(recursive: true);
    }
}
