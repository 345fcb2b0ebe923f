using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Reading;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Snapshots;

/// <summary>
/// Reads a received database from end to end before anybody may rely on it. Checksums only prove that it is what the sender had; the sender's
/// own file may be rotten.
/// </summary>
public static class SnapshotVerification
{
    /// <summary>Checks a complete file against its manifest. Takes as long as reading the file twice.</summary>
    /// <exception cref="SnapshotRefusedException">It is not the state that the manifest, and the log's digests in it, describe.</exception>
    public static void Check(string path, SnapshotManifest manifest, CancellationToken cancellation)
    {
        try
        {
            using var connection = SqliteConnection.OpenUnchanging(path);
            Check(connection, manifest, cancellation);
        }
        catch (Checkpoints.DatabaseDamagedException e)
        {
            throw new SnapshotRefusedException($"{e.Message} The file of {manifest.Node} is damaged.", e);
        }
        catch (SqliteException e)
        {
            throw new SnapshotRefusedException($"SQLite cannot read it ({e.CodeName}: {e.Message}); the file of {manifest.Node} may be damaged.", e);
        }
    }

    private static void Check(SqliteConnection connection, SnapshotManifest manifest, CancellationToken cancellation)
    {
        var position = ReplicaTables.ReadPosition(connection);
        if (position != manifest.Position)
            throw new SnapshotRefusedException($"it holds {position}, its manifest says {manifest.Position}.");
        using (var check = connection.Prepare("PRAGMA quick_check(1)"))
        {
            if (!check.Step() || check.ColumnText(0) is not "ok")
                throw new SnapshotRefusedException($"SQLite finds it malformed: {check.ColumnText(0)}.");
        }

        var described = manifest.Tables.ToDictionary(table => table.Table, table => table.Digest, StringComparer.Ordinal);
        foreach (var scan in DatabaseScan.Run(connection, cancellation))
        {
            if (scan.Recorded is not { } recorded)
                continue;
            if (scan.Digest != recorded)
                throw new SnapshotRefusedException($"the rows of \"{scan.Table}\" are not those that its log recorded ({scan.Digest}, not {recorded}).");
            // The manifest describes users' tables.
            if (SqlName.IsOwn(scan.Table) || scan.Table is SchemaDigests.TextsName or SchemaDigests.NumbersName)
                continue;
            if (!described.Remove(scan.Table, out var digest) || digest != recorded.ToString())
                throw new SnapshotRefusedException($"the digest of \"{scan.Table}\" is {recorded}, its manifest says {digest ?? "nothing of it"}.");
        }

        if (described.Count > 0)
            throw new SnapshotRefusedException($"it lacks the table \"{described.Keys.First()}\".");
    }
}
