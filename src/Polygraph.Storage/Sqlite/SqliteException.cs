namespace Polygraph.Storage.Sqlite;

/// <summary>SQLite refused or failed. <see cref="Exception.Message"/> is SQLite's own text.</summary>
public sealed class SqliteException(int extendedCode, string message) : Exception(message)
{
    /// <summary>The primary code, for instance 19.</summary>
    public int Code => ExtendedCode & 0xff;

    /// <summary>The extended code, for instance 2067; equal to <see cref="Code"/> when there is none.</summary>
    public int ExtendedCode { get; } = extendedCode;

    /// <summary>For instance <c>SQLITE_CONSTRAINT</c>.</summary>
    public string CodeName => SqliteCode.NameOf(ExtendedCode);

    /// <summary>For instance <c>SQLITE_CONSTRAINT_UNIQUE</c>, or null.</summary>
    public string? ExtendedCodeName => SqliteCode.ExtendedNameOf(ExtendedCode);
}
