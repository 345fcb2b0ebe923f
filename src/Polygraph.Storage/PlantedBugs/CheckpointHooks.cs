#if POLYGRAPH_PLANTED_BUGS
using Polygraph.Protocol;

namespace Polygraph.Storage.Checkpoints;

public sealed partial class Checkpointer
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}

public static partial class DatabaseRecovery
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}
#endif
