using System.Globalization;

namespace Polygraph.Storage.Sqlite;

/// <summary>SQLite's result codes that we act on, and the names of all of them.</summary>
public static class SqliteCode
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int Denied = 23;
    public const int Busy = 5;
    public const int ReadOnly = 8;
    public const int Interrupt = 9;
    public const int Corrupt = 11;
    public const int CorruptVirtualTable = 11 | (1 << 8);
    public const int InputOutput = 10;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int TooBig = 18;
    public const int Constraint = 19;
    public const int ConstraintForeignKey = 19 | (3 << 8);
    public const int ConstraintDatatype = 19 | (12 << 8);
    public const int Mismatch = 20;
    public const int NotADatabase = 26;
    public const int Row = 100;
    public const int Done = 101;

    private static readonly string[] PrimaryNames =
    [
        "OK", "ERROR", "INTERNAL", "PERM", "ABORT", "BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT", "IOERR", "CORRUPT", "NOTFOUND",
        "FULL", "CANTOPEN", "PROTOCOL", "EMPTY", "SCHEMA", "TOOBIG", "CONSTRAINT", "MISMATCH", "MISUSE", "NOLFS", "AUTH", "FORMAT", "RANGE",
        "NOTADB", "NOTICE", "WARNING",
    ];

    // Index = extended code / 256 - 1, as in sqlite3.h.
    private static readonly Dictionary<int, string[]> ExtendedNames = new()
    {
        [1] = ["MISSING_COLLSEQ", "RETRY", "SNAPSHOT"],
        [4] = ["", "ROLLBACK"],
        [5] = ["RECOVERY", "SNAPSHOT", "TIMEOUT"],
        [6] = ["SHAREDCACHE", "VTAB"],
        [8] = ["RECOVERY", "CANTLOCK", "ROLLBACK", "DBMOVED", "CANTINIT", "DIRECTORY"],
        [10] =
        [
            "READ", "SHORT_READ", "WRITE", "FSYNC", "DIR_FSYNC", "TRUNCATE", "FSTAT", "UNLOCK", "RDLOCK", "DELETE", "BLOCKED", "NOMEM",
            "ACCESS", "CHECKRESERVEDLOCK", "LOCK", "CLOSE", "DIR_CLOSE", "SHMOPEN", "SHMSIZE", "SHMLOCK", "SHMMAP", "SEEK", "DELETE_NOENT",
            "MMAP", "GETTEMPPATH", "CONVPATH", "VNODE", "AUTH", "BEGIN_ATOMIC", "COMMIT_ATOMIC", "ROLLBACK_ATOMIC", "DATA", "CORRUPTFS",
        ],
        [11] = ["VTAB", "SEQUENCE", "INDEX"],
        [14] = ["NOTEMPDIR", "ISDIR", "FULLPATH", "CONVPATH", "DIRTYWAL", "SYMLINK"],
        [19] =
        [
            "CHECK", "COMMITHOOK", "FOREIGNKEY", "FUNCTION", "NOTNULL", "PRIMARYKEY", "TRIGGER", "UNIQUE", "VTAB", "ROWID", "PINNED",
            "DATATYPE",
        ],
        [23] = ["USER"],
    };

    /// <summary>For instance <c>SQLITE_CONSTRAINT</c>.</summary>
    public static string NameOf(int code)
    {
        var primary = code & 0xff;
        return primary < PrimaryNames.Length
            ? "SQLITE_" + PrimaryNames[primary]
            : "SQLITE_" + primary.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>For instance <c>SQLITE_CONSTRAINT_UNIQUE</c>; null for a code that says nothing more than its primary part.</summary>
    public static string? ExtendedNameOf(int code)
    {
        var detail = (code >> 8) - 1;
        return detail >= 0 && ExtendedNames.TryGetValue(code & 0xff, out var names) && detail < names.Length
            ? NameOf(code) + "_" + names[detail]
            : null;
    }
}
