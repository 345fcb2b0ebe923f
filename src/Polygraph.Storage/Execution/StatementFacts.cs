namespace Polygraph.Storage.Execution;

/// <summary>A transaction statement, which we run as savepoints inside the batch.</summary>
internal enum TransactionStep : byte
{
    None,
    Begin,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
}

/// <summary>What a <c>BEGIN</c> asks for.</summary>
internal enum TransactionKind : byte
{
    /// <summary>The writer when the first statement writes.</summary>
    Deferred,

    /// <summary>The writer at once: <c>IMMEDIATE</c> and <c>EXCLUSIVE</c>, which mean the same where one connection writes.</summary>
    Immediate,

    /// <summary>Never the writer: libSQL's <c>READONLY</c>.</summary>
    ReadOnly,
}

/// <summary>What the authorizer learned about a statement while SQLite compiled it. Filled once, then only read.</summary>
internal sealed class StatementFacts
{
    /// <summary>Tables that the statement, its triggers or its foreign-key actions read.</summary>
    internal HashSet<string> ReadTables { get; } = new(StringComparer.Ordinal);

    /// <summary>Their columns that are read.</summary>
    internal HashSet<(string Table, string Column)> ReadColumns { get; } = [];

    /// <summary>A function that it calls and that can say something else on another replica.</summary>
    internal string? LocalFunction { get; set; }

    /// <summary>Tables and views that the statement, its triggers or its foreign-key actions write.</summary>
    internal HashSet<string> WrittenTables { get; } = new(StringComparer.Ordinal);

    /// <summary>The schema's triggers that it can fire.</summary>
    internal HashSet<string> Triggers { get; } = new(StringComparer.Ordinal);

    /// <summary>Those of them into which rows are inserted.</summary>
    internal HashSet<string> InsertedTables { get; } = new(StringComparer.Ordinal);

    /// <summary>Those of them that a trigger writes.</summary>
    internal HashSet<string> WrittenByTriggers { get; } = new(StringComparer.Ordinal);

    /// <summary>The first word of the text, in upper case.</summary>
    internal string FirstWord { get; init; } = "";

    internal bool ChangesSchema { get; set; }

    internal bool IsAlter { get; set; }

    /// <summary>The table into which the statement itself, not a trigger, inserts.</summary>
    internal string? InsertTarget { get; set; }

    internal bool WritesSequences { get; set; }

    /// <summary>Whether it calls <c>changes()</c>.</summary>
    internal bool ReadsChanges { get; set; }

    internal TransactionStep Transaction { get; set; }

    /// <summary>Of a <see cref="TransactionStep.Begin"/>.</summary>
    internal TransactionKind Kind { get; set; }

    internal string SavepointName { get; set; } = "";

    /// <summary>The pragma, in lower case, and its argument.</summary>
    internal string? Pragma { get; set; }

    internal string? PragmaArgument { get; set; }

    /// <summary>Why the authorizer refused, for an error that says more than "not authorized".</summary>
    internal string? Denial { get; set; }

    // Set from the catalog once the statement is compiled.
    internal bool CanReplace { get; set; }

    internal bool CanFail { get; set; }

    /// <summary>Whether its rows must be collected before they are captured: see <see cref="Capture.RowWatch"/>.</summary>
    internal bool NeedsWatch { get; set; }

    /// <summary>
    /// A table without capture that the statement writes, also through triggers: a virtual one, or one of ANALYZE's. Then replicas run the statement
    /// themselves. Of a DROP TABLE only what triggers of its foreign-key actions write.
    /// </summary>
    internal string? ShippedFor { get; set; }

    /// <summary>
    /// Whether it reads a virtual generated column of type REAL. SQLite computes whole numbers of one as REAL, and keeps them as integers in a column that leaves
    /// its values alone; while an UPDATE runs nothing tells them from true REALs.
    /// </summary>
    internal bool ReadsVirtualReals { get; set; }

    internal bool FiresTriggers => Triggers.Count > 0;
}
