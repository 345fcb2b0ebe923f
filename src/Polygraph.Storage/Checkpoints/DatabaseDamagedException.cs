using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Checkpoints;

/// <summary>A replica's database file is not the state of any position, and cannot be made so from what is beside it. Re-seed the replica.</summary>
public sealed class DatabaseDamagedException : Exception
{
    internal DatabaseDamagedException(string path, string what)
        : base($"The database '{path}' is damaged: {what} Nothing was changed. It is replaced by a copy from another node, if there is one.")
    {
    }

    private DatabaseDamagedException(SqliteException cause)
        : base($"SQLite finds the database file damaged ({cause.CodeName}: {cause.Message}). It is replaced by a copy from another node, if there is one.", cause)
    {
    }

    private DatabaseDamagedException(string finding)
        : base($"SQLite's integrity check finds the database file damaged: {finding}. It is replaced by a copy from another node, if there is one.")
    {
    }

    /// <summary>An integrity check came upon it.</summary>
    internal static DatabaseDamagedException FoundByCheck(string finding) => new(finding);

    /// <summary>SQLite came upon it.</summary>
    public static DatabaseDamagedException FoundBySqlite(SqliteException cause) => new(cause);
}
