#if POLYGRAPH_PLANTED_BUGS
using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

internal sealed partial class PersistBatch
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);

    static partial void PlantBefore(string bug, IReadOnlyList<PersistJob> jobs)
    {
        if (!BugSwitch.Take(bug))
            return;
        foreach (var job in jobs)
            job.Persisted();
    }
}

public sealed partial class ReplicationLog
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}

internal sealed partial class SegmentChain
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}

internal sealed partial class SegmentScan
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}
#endif
