#if POLYGRAPH_PLANTED_BUGS
using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Snapshots;

public static partial class SnapshotInstall
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}

public static partial class SnapshotWriter
{
    static partial void PlantLoss(string bug, SqliteConnection copy)
    {
        if (BugSwitch.Take(bug))
            copy.Execute("DELETE FROM polygraph_idempotency");
    }
}
#endif
