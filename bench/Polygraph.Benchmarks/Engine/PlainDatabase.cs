using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Benchmarks.Engine;

/// <summary>
/// SQLite without Polygraph, through the same binding and with the same settings: WAL, <c>synchronous=NORMAL</c>, no checkpoint while it is timed,
/// every statement prepared once.
/// </summary>
internal sealed class PlainDatabase : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _savepoint;
    private readonly SqliteStatement _release;
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);

    public PlainDatabase(string path)
    {
        _connection = SqliteConnection.Open(path, readOnly: false);
        _connection.Execute("PRAGMA journal_mode=WAL");
        _connection.Execute("PRAGMA synchronous=NORMAL");
        _connection.Set(ConnectionSwitch.ForeignKeys, true);
        _begin = _connection.Prepare("BEGIN IMMEDIATE");
        _commit = _connection.Prepare("COMMIT");
        _savepoint = _connection.Prepare("SAVEPOINT one");
        _release = _connection.Prepare("RELEASE one");
    }

    public void Execute(string sql) => _connection.Execute(sql);

    /// <summary>Outside of what is timed, as <see cref="LeaderDatabase"/> does it.</summary>
    public void Checkpoint() => Execute("PRAGMA wal_checkpoint(TRUNCATE)");

    /// <summary>Runs a statement once for each set of arguments, in one transaction.</summary>
    /// <param name="text">The statement.</param>
    /// <param name="arguments">Those of all transactions.</param>
    /// <param name="first">The first set to use.</param>
    /// <param name="count">How many.</param>
    /// <param name="canUndoEach">Whether each run has a savepoint, without which a transaction of several clients fails as a whole when one of them does.</param>
    public void Transaction(string text, IReadOnlyList<SqlArgument[]> arguments, int first, int count, bool canUndoEach)
    {
        if (!_statements.TryGetValue(text, out var statement))
            _statements[text] = statement = _connection.Prepare(text);
        _begin.Run();
        for (var i = first; i < first + count; i++)
        {
            if (canUndoEach)
                _savepoint.Run();
            var values = arguments[i];
            for (var parameter = 0; parameter < values.Length; parameter++)
                statement.Bind(parameter + 1, values[parameter].Value);
            statement.Run();
            if (canUndoEach)
                _release.Run();
        }

        _commit.Run();
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _begin.Dispose();
        _commit.Dispose();
        _savepoint.Dispose();
        _release.Dispose();
        _connection.Dispose();
    }
}
