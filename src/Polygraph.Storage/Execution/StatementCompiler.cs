using System.Text;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Execution;

/// <summary>Compiles clients' statements on one connection and keeps them, until the schema changes.</summary>
internal sealed class StatementCompiler(SqliteConnection connection, StatementAuthorizer authorizer, int cachedMax) : IDisposable
{
    private readonly Dictionary<string, CompiledStatement> _cache = new(StringComparer.Ordinal);

    // What was asked for last: one statement after another often has the same text, and to compare is less than to hash.
    private string? _lastText;
    private CompiledStatement? _last;

    /// <summary>
    /// Compiles a text that is exactly one statement. The result belongs to the cache. Throws <see cref="SqliteException"/> or
    /// <see cref="RefusedException"/>.
    /// </summary>
    internal CompiledStatement Compile(string text, SchemaCatalog catalog)
        => TryCompile(text, catalog)
            ?? throw new RefusedException(
                RefusedException.ManyStatements, "The text holds more than one SQL statement. Send them one by one, or all together: as \"statements\" of /v1/db/NAME/sql, or as a \"sequence\" of Hrana.");

    /// <summary>As <see cref="Compile"/>, but null if the text has more than one statement.</summary>
    internal CompiledStatement? TryCompile(string text, SchemaCatalog catalog)
    {
        if (text == _lastText)
            return _last;
        if (_cache.TryGetValue(text, out var cached))
        {
            (_lastText, _last) = (text, cached);
            return cached;
        }

        var bytes = Utf8.Terminated(text);
        var compiled = CompileFirst(bytes, 0, catalog, out var tail)
            ?? throw new RefusedException(RefusedException.NoStatement, "The text holds no SQL statement.");
        if (!IsBlank(bytes, tail))
        {
            compiled.Dispose();
            return null;
        }

        // Whole generations are dropped: a workload with more distinct texts than this does not profit from a cleverer choice.
        if (_cache.Count >= cachedMax)
            Clear();
        _cache.Add(text, compiled);
        return compiled;
    }

    /// <summary>Compiles the first statement from an offset on; null at the end. The result belongs to the caller.</summary>
    internal CompiledStatement? CompileFirst(byte[] terminatedSql, int offset, SchemaCatalog catalog, out int tail)
    {
        var rest = Encoding.UTF8.GetString(terminatedSql, offset, terminatedSql.Length - offset - 1);
        if (SkipReadOnlyBegin(rest) is { } skipped)
        {
            tail = offset + Encoding.UTF8.GetByteCount(rest.AsSpan(0, skipped));
            return new CompiledStatement(null, new StatementFacts { Transaction = TransactionStep.Begin, Kind = TransactionKind.ReadOnly }, rest[..skipped]);
        }

        var facts = new StatementFacts { FirstWord = SqlTokens.FirstWord(rest) };
        var statement = CompileListening(terminatedSql, offset, facts, out tail);
        if (statement is null)
            return null;
        if (MayHaveHeardModules(facts, catalog))
        {
            statement.Dispose();
            facts = new StatementFacts { FirstWord = facts.FirstWord };
            statement = CompileListening(terminatedSql, offset, facts, out tail)!;
        }

        // EXPLAIN is heard as what it explains, and does nothing of it.
        if (statement.IsExplain)
            facts = new StatementFacts { FirstWord = "EXPLAIN" };
        var text = Encoding.UTF8.GetString(terminatedSql, offset, Math.Min(tail, terminatedSql.Length - 1) - offset);
        var compiled = new CompiledStatement(statement, facts, text);
        if (facts.FirstWord == "VACUUM" && SqlTokens.HasWord(text, "INTO"))
        {
            compiled.Dispose();
            throw RefusedSql.VacuumInto.Exception("");
        }

        if (!compiled.IsReadOnly && SqlTokens.HasTwinUpserts(text))
        {
            compiled.Dispose();
            throw RefusedSql.TwinUpserts.Exception("");
        }

        if (facts.Transaction == TransactionStep.Begin && (SqlTokens.HasWord(text, "IMMEDIATE") || SqlTokens.HasWord(text, "EXCLUSIVE")))
            facts.Kind = TransactionKind.Immediate;
        if (!compiled.IsReadOnly)
            AddTraits(facts, text, catalog);
        if (facts is { ShippedFor: not null, ChangesSchema: false }
            && (facts.LocalFunction ?? facts.ReadTables.FirstOrDefault(name => LocalNames.IsTable(name, catalog))) is { } local)
        {
            compiled.Dispose();
            throw RefusedSql.LocalRead.Exception(local);
        }

        // Old versions of SQLite do not tell the authorizer of ALTER TABLE … DROP COLUMN.
        facts.ChangesSchema |= !compiled.IsReadOnly && facts.FirstWord == "ALTER";
        facts.IsAlter |= facts.ChangesSchema && facts.FirstWord == "ALTER";
        return compiled;
    }

    /// <summary>Forgets every statement: what was learned about them held for another schema.</summary>
    internal void Clear()
    {
        foreach (var compiled in _cache.Values)
            compiled.Dispose();
        _cache.Clear();
        (_lastText, _last) = (null, null);
    }

    public void Dispose() => Clear();

    /// <summary>Whether nothing but blanks, comments and semicolons is left.</summary>
    internal static bool IsBlank(byte[] terminatedSql, int offset)
    {
        if (offset >= terminatedSql.Length - 1)
            return true;
        return SqlTokens.FirstWord(Encoding.UTF8.GetString(terminatedSql, offset, terminatedSql.Length - offset - 1)).Length == 0;
    }

    private SqliteStatement? CompileListening(byte[] sql, int offset, StatementFacts facts, out int tail)
    {
        authorizer.Listen(facts);
        try
        {
            return connection.PrepareFirst(sql, offset, persistent: true, out tail);
        }
        catch (SqliteException) when (facts.Denial is not null)
        {
            throw new RefusedException(RefusedException.NotAllowed, facts.Denial);
        }
        finally
        {
            authorizer.StopListening();
        }
    }

    /// <summary>
    /// The first use of a virtual table or table-valued function makes its module compile statements of its own and declare its columns by a CREATE
    /// TABLE, and the authorizer hears that too. The second compilation is free of it.
    /// </summary>
    private static bool MayHaveHeardModules(StatementFacts facts, SchemaCatalog catalog)
        => (facts.ChangesSchema && facts.FirstWord is not ("CREATE" or "DROP" or "ALTER" or "ANALYZE" or "REINDEX" or "PRAGMA"))
            || catalog.VirtualTables.Any(table => facts.WrittenTables.Contains(table.Name));

    private static void AddTraits(StatementFacts facts, string text, SchemaCatalog catalog)
    {
        var tables = facts.WrittenTables.Select(catalog.Find).OfType<TableShape>().ToList();
        var triggers = facts.Triggers.Where(catalog.Triggers.ContainsKey).Select(name => catalog.Triggers[name]).ToList();
        var written = facts.ChangesSchema ? facts.WrittenByTriggers : facts.WrittenTables;
        facts.ShippedFor = catalog.VirtualTables.Select(table => table.Name).FirstOrDefault(written.Contains)
            ?? (facts.ChangesSchema ? null : written.FirstOrDefault(SqlName.IsStatistics));
        facts.CanReplace = SqlTokens.CanReplace(text) || tables.Any(table => table.CanReplace) || triggers.Any(trigger => trigger.CanReplace);
        facts.CanFail = SqlTokens.CanFail(text) || tables.Any(table => table.CanFail) || triggers.Any(trigger => trigger.CanFail);
        facts.ReadsVirtualReals = catalog.Tables.Any(table => table.VirtualReals.Any(column => facts.ReadColumns.Contains((table.Name, column))));
        facts.NeedsWatch = facts.CanFail || facts.ReadsVirtualReals || (tables.Any(table => table.HookColumns is null) && (facts.CanReplace
            || tables.Any(table => table.NeedsTracking || table.ActionParents.Any(parent => tables.Any(other => SqlName.Same(other.Name, parent))))));
    }

    /// <summary>The length of a leading <c>BEGIN [TRANSACTION] READONLY</c>, which libSQL's clients send; null if there is none.</summary>
    private static int? SkipReadOnlyBegin(string text)
    {
        var tokens = new SqlTokens(text);
        if (!tokens.Read() || !tokens.Is("BEGIN") || !tokens.Read())
            return null;
        if (tokens.Is("TRANSACTION") && !tokens.Read())
            return null;
        if (!tokens.Is("READONLY"))
            return null;
        var end = tokens.Consumed(text);
        return tokens.Read() && !tokens.Is(";") ? null : end;
    }
}
