using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>Reads single rows as they stand, also while a statement changes them. Owned by the writer.</summary>
internal sealed class StandingRows(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<int, SqliteStatement> _readers = [];
    private readonly LogicalPayloadWriter _image = new();
    private SchemaCatalog _readersOf = SchemaCatalog.Empty;

    /// <summary>What was compiled for another schema is forgotten. Before a statement runs, because not while one does.</summary>
    internal void Use(SchemaCatalog catalog)
    {
        if (ReferenceEquals(catalog, _readersOf))
            return;
        Dispose();
        _readersOf = catalog;
    }

    /// <summary>The image of the row with the key; null if there is none.</summary>
    internal byte[]? Read(TableShape table, IReadOnlyList<SqlValue> key)
    {
        if (!_readers.TryGetValue(table.CaptureId, out var reader))
            _readers[table.CaptureId] = reader = connection.Prepare(
                $"SELECT {string.Join(", ", table.Values)} FROM main.{table.QuotedName} {table.LookUpHint} WHERE {table.KeyCondition}");
        try
        {
            for (var i = 0; i < key.Count; i++)
                reader.Bind(i + 1, key[i]);
            if (!reader.Step())
                return null;
            _image.Clear();
            RowImage.Write(_image, reader, table.Values.Count);
            return _image.Written.ToArray();
        }
        finally
        {
            reader.Reset();
        }
    }

    public void Dispose()
    {
        foreach (var reader in _readers.Values)
            reader.Dispose();
        _readers.Clear();
    }
}
