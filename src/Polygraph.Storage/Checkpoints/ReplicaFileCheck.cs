using Polygraph.Protocol;
using Polygraph.Storage.Reading;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Checkpoints;

/// <summary>What a replica's SQLite file was found to hold.</summary>
/// <param name="Position">The last entry whose effects it holds; null if it could not be read.</param>
/// <param name="Tables">How many tables were read.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Problem">What is wrong with it; null if nothing is.</param>
public sealed record ReplicaFileFindings(Position? Position, int Tables, long Rows, string? Problem);

/// <summary>Reads a replica's SQLite file from end to end, and changes nothing. No node may be using it.</summary>
public static class ReplicaFileCheck
{
    /// <summary>Whether a checkpoint was interrupted: the file is between two states, and the node finishes it when it starts.</summary>
    public static bool IsBetweenStates(string path) => File.Exists(path + "-checkpoint");

    /// <summary>Checks SQLite's structure, and every row against the digests that were kept write by write.</summary>
    public static ReplicaFileFindings Run(string path, CancellationToken cancellation)
    {
        try
        {
            using var connection = SqliteConnection.OpenUnchanging(path);
            if (IsEmpty(connection))
                return new ReplicaFileFindings(Position.Zero, 0, 0, null);
            var position = ReplicaTables.ReadPosition(connection);
            var scans = DatabaseScan.Run(connection, cancellation);
            var wrong = scans.FirstOrDefault(scan => !scan.IsConsistent);
            return new ReplicaFileFindings(
                position, scans.Count, scans.Sum(scan => scan.Rows),
                wrong is null ? null : $"the rows of \"{wrong.Table}\" are not those that were written ({wrong.Digest}, not {wrong.Recorded})");
        }
        catch (DatabaseDamagedException e)
        {
            return new ReplicaFileFindings(null, 0, 0, e.Message);
        }
        catch (SqliteException e)
        {
            return new ReplicaFileFindings(null, 0, 0, $"SQLite cannot read it ({e.CodeName}: {e.Message})");
        }
    }

    // Before the first checkpoint everything is in the write-ahead log, which recovery drops and the log makes anew.
    private static bool IsEmpty(SqliteConnection connection)
    {
        using var count = connection.Prepare("SELECT count(*) FROM main.sqlite_master");
        return count.Step() && count.ColumnInteger(0) == 0;
    }
}
