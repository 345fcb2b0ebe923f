using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>A client's statement, compiled, with what is known of it.</summary>
internal sealed class CompiledStatement : IDisposable
{
    private SqlColumn[]? _columns;
    private int _columnsOf;

    /// <param name="statement">Null for <c>BEGIN TRANSACTION READONLY</c>, which SQLite does not know.</param>
    internal CompiledStatement(SqliteStatement? statement, StatementFacts facts, string text)
    {
        Statement = statement!;
        Facts = facts;
        Text = text;
        IsReadOnly = statement is null || statement.IsReadOnly || statement.IsExplain;
    }

    internal SqliteStatement Statement { get; }

    internal StatementFacts Facts { get; }

    /// <summary>The statement alone, without what stood before and after it.</summary>
    internal string Text { get; }

    internal bool IsReadOnly { get; }

    /// <summary>The result columns; after a run, those of that run: a schema change may have given <c>SELECT *</c> others.</summary>
    internal SqlColumn[] Columns()
    {
        var count = Statement.ColumnCount;
        if (count == 0)
            return [];
        var compiledAgain = Statement.TimesCompiledAgain;
        if (_columns is null || compiledAgain != _columnsOf)
        {
            _columnsOf = compiledAgain;
            _columns = [.. Enumerable.Range(0, count).Select(i => new SqlColumn(Statement.ColumnName(i), Statement.ColumnDeclaredType(i)))];
        }

        return _columns;
    }

    public void Dispose() => Statement?.Dispose();
}
