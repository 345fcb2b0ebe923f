using System.Globalization;
using System.Text;
using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>
/// Runs, on the leader, a statement that writes a virtual table. No trigger sees such rows, so the operation is the statement itself; the rows of
/// ordinary tables that it changes are hashed only, and every replica must come to the same digests by running it. Owned by the writer.
/// </summary>
internal sealed class StatementShipper(WriterConnection writer, CaptureLog capture, StatementEnvironment environment)
{
    private LogicalStatement? _running;

    /// <summary>What the running unit sees as now, milliseconds since 1970 UTC.</summary>
    internal long TimeMilliseconds { get; set; }

    internal T Run<T>(CompiledStatement compiled, SqlValue[] arguments, Func<T> run)
    {
        var statement = _running = Describe(compiled, arguments);
        capture.CheckSize(SizeOf(statement));
        capture.Mode = CaptureMode.Hashing;
        var rowsBefore = capture.Rows;
        T result;
        try
        {
            result = environment.Run(statement, run);
        }
        finally
        {
            capture.EndHashing();
        }

        RefuseRandomRowids(compiled.Facts, rowsBefore);
        capture.Payload.WriteStatement(statement);
        return result;
    }

    /// <summary>The statement that ran last failed, and SQLite kept what it had done: so must everybody else.</summary>
    internal void KeepFailed()
    {
        Invariant.Holds(_running is not null, "a statement has run");
        capture.Payload.WriteStatement(_running with { Flags = _running.Flags | LogicalStatementFlags.Fails });
    }

    /// <summary>Where a table holds the largest rowid, SQLite draws others from a generator that nobody can seed.</summary>
    private void RefuseRandomRowids(StatementFacts facts, int rowsBefore)
    {
        var catalog = capture.Catalog;
        foreach (var name in facts.InsertedTables)
        {
            if (catalog.Find(name) is { IsWithoutRowid: false, IsAutoIncrement: false } table && capture.InsertedIntoSince(rowsBefore, table)
                && HoldsLargestRowid(name))
                throw RefusedSql.RandomRowid.Exception(name);
            var isNumbered = catalog.VirtualTables.FirstOrDefault(virtualTable => virtualTable.Name == name)?.NumberingTables
                .Where(catalog.ShadowTables.Contains).Any(HoldsLargestRowid);
            if (isNumbered == true)
                throw RefusedSql.RandomRowid.Exception(name);
        }
    }

    private bool HoldsLargestRowid(string table)
        => writer.HasRow($"SELECT 1 FROM main.{SqlName.Quote(table)} WHERE rowid = {long.MaxValue.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>At least what it takes in the payload, apart from the numbers of fixed size.</summary>
    private static long SizeOf(LogicalStatement statement)
    {
        long bytes = Encoding.UTF8.GetByteCount(statement.Sql);
        foreach (var argument in statement.Arguments.Span)
            bytes += argument.Kind is SqlValueKind.Text or SqlValueKind.Blob ? argument.Bytes.Length : sizeof(long);
        return bytes;
    }

    private LogicalStatement Describe(CompiledStatement compiled, SqlValue[] arguments)
    {
        var flags = LogicalStatementFlags.None;
        if (writer.ForeignKeys)
            flags |= LogicalStatementFlags.ForeignKeys;
        if (writer.RecursiveTriggers)
            flags |= LogicalStatementFlags.RecursiveTriggers;
        if (compiled.Facts.ReadsChanges)
            flags |= LogicalStatementFlags.ReadsChanges;
        return new LogicalStatement
        {
            Table = compiled.Facts.ShippedFor!,
            Sql = compiled.Text,
            Arguments = arguments,
            Flags = flags,
            TimeMilliseconds = TimeMilliseconds,
            Seed = RepeatableFunctions.NewSeed(),
            LastInsertRowid = writer.Connection.LastInsertRowid,
            Changes = writer.Connection.Changes,
            TotalChanges = writer.Connection.TotalChanges,
        };
    }
}
