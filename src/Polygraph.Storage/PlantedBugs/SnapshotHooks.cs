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

        // With their digest, or the copy would be refused.
        copy.Execute("DELETE FROM polygraph_idempotency");
        copy.Execute("DELETE FROM polygraph_digests WHERE table_name = 'polygraph_idempotency'");

        // The copied pages say that there is a write-ahead log, and closing does not checkpoint: left in there, the loss would not be part of the copy.
        copy.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}
#endif
