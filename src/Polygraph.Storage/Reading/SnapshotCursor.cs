using Polygraph.Storage.Execution;
using Polygraph.Storage.Reading;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>
/// A batch of reads that runs on a snapshot as far as somebody asks for its rows, so that its answer may be of any length. Used by one thread at
/// a time, which has the snapshot in its hands.
/// </summary>
public sealed class SnapshotCursor
{
    /// <summary>Entries that are read at one time: rows of a few numbers make some ten kilobytes.</summary>
    private const int EntriesMax = 512;

    /// <summary>Bytes of values after which no further row is read.</summary>
    private const int BytesMax = 64 << 10;

    private readonly ReaderConnection _connection;
    private readonly IReadOnlyList<BatchItem> _items;

    // What became of the items so far: all that conditions ask for.
    private readonly StatementResult?[] _results;
    private readonly SqlError?[] _errors;
    private int _item;
    private CompiledStatement? _running;
    private bool _isAnnounced;

    internal SnapshotCursor(ReaderConnection connection, IReadOnlyList<BatchItem> items)
    {
        (_connection, _items) = (connection, items);
        _results = new StatementResult?[items.Count];
        _errors = new SqlError?[items.Count];
    }

    /// <summary>What comes next; empty at the end.</summary>
    /// <param name="client">Stops the running statement: then the cursor has failed.</param>
    public IReadOnlyList<CursorEntry> Read(CancellationToken client)
    {
        var entries = new List<CursorEntry>();
        var bytes = 0L;
        _connection.RunFor(client);
        while (entries.Count < EntriesMax && bytes < BytesMax && (_running is not null || _item < _items.Count))
        {
            try
            {
                if (_running is null)
                    Begin(entries);
                else
                    bytes += ReadRows(entries, BytesMax - bytes);
            }
            catch (Exception exception) when (exception is SqliteException or RefusedException)
            {
                Stop();
                Fail(_connection.ToError(exception), entries);
            }
        }

        _connection.RunFor(CancellationToken.None);
        return entries;
    }

    /// <summary>Lets go of the running statement. Not needed before the snapshot itself is disposed.</summary>
    public void Stop()
    {
        _running?.Statement.ResetAndClear();
        _running = null;
    }

    private void Begin(List<CursorEntry> entries)
    {
        var item = _items[_item];
        if (item.Condition is { } condition)
        {
            var holds = UnitInterpreter.Evaluate(condition, _item, _results, _errors, _connection);
            if (holds is null)
                throw new RefusedException(RefusedException.BatchConditionInvalid, $"The condition of item {_item} refers to an item that does not come before it.");
            if (holds == false)
            {
                _item++;
                return;
            }
        }

        _isAnnounced = false;
        _running = _connection.BeginStatement(item.Statement, out var done);
        if (_running is not null)
            return;
        if (done.Error is { } error)
        {
            Fail(error, entries);
            return;
        }

        entries.Add(new CursorEntry.Began(_item, done.Result!.Columns));
        entries.AddRange(done.Result.Rows.Select(row => new CursorEntry.Row(row)));
        End(entries);
    }

    private long ReadRows(List<CursorEntry> entries, long bytesMax)
    {
        var rows = _connection.ReadRows(_running!, EntriesMax - entries.Count, bytesMax, _items[_item].Statement.WantRows, out var bytes, out var isOver);

        // The first step may have compiled the statement anew, with other columns.
        if (!_isAnnounced)
            entries.Add(new CursorEntry.Began(_item, _running!.Columns()));
        _isAnnounced = true;
        entries.AddRange(rows.Select(row => new CursorEntry.Row(row)));
        if (isOver)
        {
            Stop();
            End(entries);
        }

        return bytes;
    }

    private void End(List<CursorEntry> entries)
    {
        _results[_item++] = StatementResult.Empty;
        entries.Add(new CursorEntry.Ended(0, null));
    }

    private void Fail(SqlError error, List<CursorEntry> entries)
    {
        _errors[_item] = error;
        entries.Add(new CursorEntry.ItemFailed(_item++, error));
    }
}
