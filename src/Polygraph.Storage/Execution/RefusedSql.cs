using System.Globalization;
using Polygraph.Storage.Execution;

namespace Polygraph.Storage;

/// <summary>What finds out that a statement is refused.</summary>
public enum RefusedBy : byte
{
    /// <summary>SQLite's authorizer, while the statement is compiled: also what triggers would do.</summary>
    Authorizer,

    /// <summary>The authorizer, by the pragma's name and whether it has an argument.</summary>
    Pragma,

    /// <summary>The authorizer, by the function's name.</summary>
    Function,

    /// <summary>The authorizer, by an object's name.</summary>
    Name,

    /// <summary>The statement's own words: SQLite asks nobody.</summary>
    Words,

    /// <summary>The schema, or the rows that the statement would change, while it runs; nothing of it stays.</summary>
    Run,

    /// <summary>SQLite itself, in its defensive mode.</summary>
    Defensive,
}

/// <summary>
/// The closed list of SQL that plain SQLite runs and Polygraph refuses. Everything else that SQLite accepts is replicated. The messages are made
/// from it, <c>polygraph sql --refused</c> prints it, and docs/limits.md has it.
/// </summary>
/// <param name="What">The statements, in few words.</param>
/// <param name="By">What finds out.</param>
/// <param name="Code">The error's code.</param>
/// <param name="Message">What the client is told; <c>{0}</c> is the name of what is meant.</param>
/// <param name="Example">A statement that is refused.</param>
/// <param name="Setup">Statements that must have run before, for the example to be refused for this reason.</param>
public sealed record RefusedSql(string What, RefusedBy By, string Code, string Message, string Example, params string[] Setup)
{
    internal static readonly RefusedSql OtherFiles = new(
        "`ATTACH`, `DETACH`", RefusedBy.Authorizer, RefusedException.NotAllowed,
        "ATTACH and DETACH are not available: a database is replicated alone.", "ATTACH 'other.sqlite' AS other");

    internal static readonly RefusedSql VacuumInto = new(
        "`VACUUM INTO`", RefusedBy.Words, RefusedException.NotAllowed,
        "VACUUM INTO is not available: it would write a file on one replica.", "VACUUM INTO 'copy.sqlite'");

    internal static readonly RefusedSql VacuumRenumbers = new(
        "`VACUUM` while a rowid table has no INTEGER PRIMARY KEY", RefusedBy.Run, RefusedException.NotAllowed,
        "VACUUM may give the rows of table \"{0}\" other rowids, and other ones on every replica. Declare an INTEGER PRIMARY KEY in it.",
        "VACUUM", "CREATE TABLE unnamed(a)");

    internal static readonly RefusedSql TempObjects = new(
        "TEMP tables, views, triggers and indexes, also as `temp.name`", RefusedBy.Authorizer, RefusedException.NotAllowed,
        "TEMP objects are not available: the connection is shared and replicas do not have them.", "CREATE TEMP TABLE scratch(a)");

    internal static readonly RefusedSql UnknownModule = new(
        "virtual tables of a module whose rows cannot be replicated", RefusedBy.Authorizer, RefusedException.NotAllowed,
        $"The virtual table module \"{{0}}\" cannot be replicated. Those that can: {string.Join(", ", Capture.VirtualTable.Modules)}.",
        "CREATE VIRTUAL TABLE pages USING dbstat");

    internal static readonly RefusedSql LoadExtension = new(
        "`load_extension()`", RefusedBy.Function, RefusedException.NotAllowed,
        "load_extension() is not available: it would change one replica alone.", "SELECT load_extension('x')");

    internal static readonly RefusedSql Tokenizers = new(
        "`fts3_tokenizer()`", RefusedBy.Function, RefusedException.NotAllowed,
        "fts3_tokenizer() is not available: it takes an address in the process for a tokenizer, and tells them.", "SELECT fts3_tokenizer('simple')");

    internal static readonly RefusedSql InternalFunction = new(
        "`polygraph_capture()`", RefusedBy.Function, RefusedException.NotAllowed, "{0}() is internal.", "SELECT polygraph_capture(1)");

    internal static readonly RefusedSql ReservedName = new(
        "tables, indexes, views, triggers and savepoints whose names begin with `polygraph_`; in `ALTER TABLE` any such name", RefusedBy.Name, RefusedException.NotAllowed,
        "The name \"{0}\" is reserved, as are all that begin with polygraph_. Choose another one.", "CREATE TABLE polygraph_mine(a)");

    internal static readonly RefusedSql OwnTable = new(
        "writes to Polygraph's own tables", RefusedBy.Name, RefusedException.NotAllowed,
        "The table \"{0}\" is kept by Polygraph; it can be read, not written.", "DELETE FROM polygraph_position");

    internal static readonly RefusedSql SetPragma = new(
        "setting pragmas that belong to the replica: " + Names(PragmaUse.ReadOnly), RefusedBy.Pragma, RefusedException.NotAllowed,
        "PRAGMA {0} can be read, not set: it belongs to the replica.", "PRAGMA synchronous = OFF");

    internal static readonly RefusedSql OtherPragma = new(
        "pragmas that act on one replica alone: " + Names(PragmaUse.Refused) + "; and any that is not known", RefusedBy.Pragma, RefusedException.NotAllowed,
        "PRAGMA {0} is not available on a replicated database.", "PRAGMA wal_checkpoint");

    internal static readonly RefusedSql UnnamedRows = new(
        "a table with columns `rowid`, `_rowid_` and `oid` and no INTEGER PRIMARY KEY", RefusedBy.Run, RefusedException.NotAllowed,
        "Table \"{0}\" has columns named rowid, _rowid_ and oid and no INTEGER PRIMARY KEY, so its rows cannot be told apart. "
        + "Rename one of these columns or declare an INTEGER PRIMARY KEY.", "CREATE TABLE unnamed(rowid, _rowid_, oid)");

    internal static readonly RefusedSql TwinUpserts = new(
        "an upsert with two `ON CONFLICT` clauses for the same columns", RefusedBy.Words, RefusedException.NotAllowed,
        "Two ON CONFLICT clauses name the same columns; SQLite would damage the table. Leave the second one out: it is never used.",
        "INSERT INTO keyed VALUES (1, 2) ON CONFLICT(u) DO NOTHING ON CONFLICT(u) DO UPDATE SET u = 3", "CREATE TABLE keyed(id INTEGER PRIMARY KEY, u UNIQUE)");

    /// <summary>Not of the list: only with a SQLite library that has no preupdate hook.</summary>
    internal static readonly RefusedSql MovingRow = new(
        "a statement whose foreign-key action comes back to the very row that moves", RefusedBy.Run, RefusedException.NotAllowed,
        "A foreign-key action of \"{0}\" changed a row that the same statement was moving; that cannot be replicated yet. "
        + "Change the referring rows in a statement of their own.",
        "UPDATE own SET id = 2", "CREATE TABLE own(id INTEGER PRIMARY KEY, boss REFERENCES own ON UPDATE CASCADE)", "INSERT INTO own VALUES (1, 1)");

    /// <summary>Not of the list: only with a SQLite library that has no preupdate hook, or in a statement that also writes a virtual table.</summary>
    internal static readonly RefusedSql VirtualReal = new(
        "a write that reads a virtual generated column of type REAL and puts a whole number into a column without type", RefusedBy.Run, RefusedException.NotAllowed,
        "The statement reads a virtual generated REAL column, and puts a whole number into a column of \"{0}\" that has no type: SQLite may keep it as an integer or "
        + "as a REAL, and does not tell. Read the number in a statement before, and pass it.",
        "UPDATE computed SET copy = r", "CREATE TABLE computed(n INTEGER, copy, r REAL AS (n) VIRTUAL)", "INSERT INTO computed(n) VALUES (1)");

    internal static readonly RefusedSql DropWritesVirtualTable = new(
        "a `DROP TABLE` whose foreign-key actions delete rows that triggers remove from a virtual table", RefusedBy.Run, RefusedException.NotAllowed,
        "DROP TABLE would delete rows by foreign-key actions, and triggers would write \"{0}\". Delete the rows first, then drop the table.",
        "DROP TABLE parent",
        "CREATE TABLE parent(id INTEGER PRIMARY KEY)", "CREATE TABLE child(p REFERENCES parent ON DELETE CASCADE)",
        "CREATE VIRTUAL TABLE words USING fts5(word)", "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1)",
        "CREATE TRIGGER child_d AFTER DELETE ON child BEGIN DELETE FROM words WHERE rowid = old.rowid; END");

    internal static readonly RefusedSql RandomRowid = new(
        "a statement that replicas run themselves, if it inserts into a table that holds the largest rowid there is", RefusedBy.Run,
        RefusedException.NotAllowed,
        "Table \"{0}\" holds the largest rowid there is, so SQLite would draw new ones at random, and others on every replica. Give that row another rowid.",
        "INSERT INTO words(rowid, word) VALUES (9223372036854775807, 'x')", "CREATE VIRTUAL TABLE words USING fts5(word)");

    internal static readonly RefusedSql LocalRead = new(
        "a statement that replicas run themselves, if it reads Polygraph's, SQLite's or a virtual table's own tables, a pragma, or SQLite's version",
        RefusedBy.Authorizer, RefusedException.NotAllowed,
        "\"{0}\" can differ between replicas, and every replica runs this statement itself. Read it in a statement before, and pass the value.",
        "INSERT INTO words SELECT idx FROM polygraph_position", "CREATE VIRTUAL TABLE words USING fts5(word)");

    internal static readonly RefusedSql ReplaceUnseen = new(
        "`REPLACE` in a statement that replicas run themselves, if it writes a table with a virtual generated column before stored ones, or `WITHOUT ROWID` and with "
        + "other columns before those of its key", RefusedBy.Run, RefusedException.NotAllowed,
        "The statement may replace rows, and writes \"{0}\", of whose rows SQLite does not tell which are replaced. Delete the old row in a statement before, then insert.",
        "REPLACE INTO computed(id) VALUES (1)",
        "CREATE TABLE computed(v AS (id) VIRTUAL, id INTEGER PRIMARY KEY)", "CREATE VIRTUAL TABLE words USING fts5(word)",
        "CREATE TRIGGER computed_i AFTER INSERT ON computed BEGIN INSERT INTO words(word) VALUES (new.v); END");

    internal static readonly RefusedSql FailedUpdateUnseen = new(
        "an update of a key in a table `WITHOUT ROWID` with other columns before those of its key, if its own foreign-key actions end with `FAIL`", RefusedBy.Run,
        RefusedException.NotAllowed,
        "The update of \"{0}\" failed in its foreign-key actions in a way that keeps what was done (FAIL), and SQLite does not tell which row that is. All of the statement was undone. "
        + "Use ABORT in place of FAIL.",
        "UPDATE parent SET id = 'b'",
        "CREATE TABLE parent(n, id TEXT PRIMARY KEY) WITHOUT ROWID", "CREATE TABLE child(p TEXT REFERENCES parent ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO parent VALUES (1, 'a')", "INSERT INTO child VALUES ('a')",
        "CREATE TRIGGER child_u BEFORE UPDATE ON child BEGIN SELECT RAISE(FAIL, 'no'); END");

    internal static readonly RefusedSql TransactionInRequest = new(
        "transaction statements in a request that is one transaction already", RefusedBy.Authorizer, RefusedException.NotAllowed,
        "The request is one transaction already; BEGIN, COMMIT, ROLLBACK and savepoints are not available in it.", "BEGIN");

    internal static readonly RefusedSql ShadowTable = new(
        "writes to the tables in which a virtual table keeps its rows", RefusedBy.Defensive, "SQLITE_ERROR",
        "table {0} may not be modified", "DELETE FROM words_data", "CREATE VIRTUAL TABLE words USING fts5(word)");

    internal static readonly RefusedSql SchemaTable = new(
        "writes to `sqlite_master`", RefusedBy.Defensive, "SQLITE_ERROR",
        "table {0} may not be modified", "DELETE FROM sqlite_master");

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<RefusedSql> All =
    [
        OtherFiles, VacuumInto, VacuumRenumbers, TempObjects, UnknownModule, LoadExtension, Tokenizers, InternalFunction, ReservedName, OwnTable, SetPragma,
        OtherPragma, UnnamedRows, TwinUpserts, DropWritesVirtualTable, RandomRowid, LocalRead, ReplaceUnseen, FailedUpdateUnseen, TransactionInRequest, ShadowTable, SchemaTable,
    ];

    internal string MessageFor(string name) => string.Format(CultureInfo.InvariantCulture, Message, name);

    internal RefusedException Exception(string name) => new(Code, MessageFor(name));

    private static string Names(PragmaUse use) => string.Join(", ", PragmaRules.Named(use).Select(name => $"`{name}`"));
}
