#if POLYGRAPH_PLANTED_BUGS
using Polygraph.Protocol;

namespace Polygraph.Storage;

public sealed partial class ReplicaDatabase
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}
#endif
