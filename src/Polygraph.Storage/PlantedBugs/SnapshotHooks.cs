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
        if (!BugSwitch.Take(bug))
            return;
        copy.Execute("DELETE FROM polygraph_idempotency");
        copy.Execute("DELETE FROM polygraph_digests WHERE table_name = 'polygraph_idempotency'");
    }
}
#endif
