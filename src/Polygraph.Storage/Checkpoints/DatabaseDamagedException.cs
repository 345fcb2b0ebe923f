using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Checkpoints;

/// <summary>A replica's database file is not the state of any position, and cannot be made so from what is beside it. Re-seed the replica.</summary>
public sealed class DatabaseDamagedException : Exception
{
    internal DatabaseDamagedException(string path, string what)
        : base($"The database '{path}' is damaged: {what} Nothing was changed. Re-seed this replica from another one.")
    {
    }

    private DatabaseDamagedException(SqliteException cause)
        : base($"SQLite finds the database file damaged ({cause.CodeName}: {cause.Message}). Re-seed this replica from another one.", cause)
    {
    }

    /// <summary>SQLite came upon it.</summary>
    public static DatabaseDamagedException FoundBySqlite(SqliteException cause) => new(cause);
}
