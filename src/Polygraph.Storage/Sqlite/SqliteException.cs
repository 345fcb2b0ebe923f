namespace Polygraph.Storage.Sqlite;

/// <summary>SQLite refused or failed. <see cref="Exception.Message"/> is SQLite's own text.</summary>
public sealed class SqliteException(int extendedCode, string message) : Exception(message)
{
    /// <summary>The primary code, for instance 19.</summary>
    public int Code => ExtendedCode & 0xff;

    /// <summary>The extended code, for instance 2067; equal to <see cref="Code"/> when there is none.</summary>
    public int ExtendedCode { get; } = extendedCode;

    /// <summary>
    /// Whether the database file itself is broken. A broken virtual table is not meant: it is a table's content, the same on all replicas.
    /// </summary>
    public bool IsDamage => Code is SqliteCode.Corrupt or SqliteCode.NotADatabase && ExtendedCode != SqliteCode.CorruptVirtualTable;

    /// <summary>For instance <c>SQLITE_CONSTRAINT</c>.</summary>
    public string CodeName => SqliteCode.NameOf(ExtendedCode);

    /// <summary>For instance <c>SQLITE_CONSTRAINT_UNIQUE</c>, or null.</summary>
    public string? ExtendedCodeName => SqliteCode.ExtendedNameOf(ExtendedCode);
}
