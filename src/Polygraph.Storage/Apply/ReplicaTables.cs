using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage;

/// <summary>
/// Our own rows in the database: the position, the digests and the idempotency keys. Written in the same transactions as the data, on leader
/// and followers by the same code.
/// </summary>
internal sealed class ReplicaTables : IDisposable
{
    internal static readonly string[] Names = ["polygraph_position", "polygraph_digests", KeyMemory.KeysTable, KeyMemory.ForgottenTable];

    internal const string PositionQuery = "SELECT term, idx FROM main.polygraph_position";

    private readonly SqliteConnection _connection;
    private readonly SqliteStatement _writePosition;
    private readonly SqliteStatement _writeDigest;
    private readonly SqliteStatement _removeDigest;

    /// <summary>Creates the tables if the database is new. <see cref="Load"/> comes before any use.</summary>
    internal ReplicaTables(SqliteConnection connection)
    {
        _connection = connection;
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_position(id INTEGER PRIMARY KEY CHECK(id = 1), term INTEGER NOT NULL, idx INTEGER NOT NULL)");
        connection.Execute("INSERT OR IGNORE INTO main.polygraph_position VALUES (1, 0, 0)");
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_digests(table_name TEXT PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID");
        _writePosition = connection.Prepare("UPDATE main.polygraph_position SET term = ?, idx = ? WHERE id = 1");
        _writeDigest = connection.Prepare("INSERT INTO main.polygraph_digests VALUES (?, ?) ON CONFLICT(table_name) DO UPDATE SET digest = excluded.digest");
        _removeDigest = connection.Prepare("DELETE FROM main.polygraph_digests WHERE table_name = ?");
        Keys = new KeyMemory(connection);
    }

    /// <summary>The idempotency keys.</summary>
    internal KeyMemory Keys { get; }

    internal static Position ReadPosition(SqliteConnection connection)
    {
        using var statement = connection.Prepare(PositionQuery);
        return ReadPosition(statement);
    }

    /// <summary>As above, with a statement that is kept for it.</summary>
    internal static Position ReadPosition(SqliteStatement positionQuery)
    {
        var position = positionQuery.Step()
            ? new Position(new Term((ulong)positionQuery.ColumnInteger(0)), new LogIndex((ulong)positionQuery.ColumnInteger(1)))
            : Position.Zero;
        positionQuery.Reset();
        return position;
    }

    internal static Dictionary<string, Digest128> ReadDigests(SqliteConnection connection)
    {
        var digests = new Dictionary<string, Digest128>(StringComparer.Ordinal);
        using var statement = connection.Prepare("SELECT table_name, digest FROM main.polygraph_digests");
        while (statement.Step())
            digests[statement.ColumnText(0)] = new Digest128(ReadHash(statement.ColumnBytes(1)));
        return digests;
    }

    /// <summary>
    /// Takes over what is recorded of our own tables, and leaves what is recorded of users'. Writes what an earlier version did not. In a transaction.
    /// </summary>
    internal void Load(Dictionary<string, Digest128> recorded)
    {
        var hasKeys = recorded.Remove(KeyMemory.KeysTable, out var keys);
        var hasForgotten = recorded.Remove(KeyMemory.ForgottenTable, out var forgotten);
        Keys.Load(hasKeys ? keys : null, hasForgotten ? forgotten : null);
        if (!hasKeys)
            WriteDigest(KeyMemory.KeysTable, Keys.KeysDigest);
        if (!hasForgotten)
            WriteDigest(KeyMemory.ForgottenTable, Keys.ForgottenDigest);
        // Both are taken out, whichever is there.
        var hasSchema = recorded.Remove(SchemaDigests.TextsKey) & recorded.Remove(SchemaDigests.NumbersKey);
        if (!hasSchema)
            WriteSchemaDigests();
    }

    /// <summary>Writes the digests of the schema as the open transaction has it.</summary>
    internal void WriteSchemaDigests()
    {
        WriteDigest(SchemaDigests.TextsKey, SchemaDigests.ScanTexts(_connection).Digest);
        WriteDigest(SchemaDigests.NumbersKey, SchemaDigests.ScanNumbers(_connection).Digest);
    }

    /// <summary>Writes the digests of the keys that the open transaction has changed.</summary>
    internal void WriteKeyDigests()
    {
        if (Keys.HasNewKeys)
            WriteDigest(KeyMemory.KeysTable, Keys.KeysDigest);
        if (Keys.HasNewForgotten)
            WriteDigest(KeyMemory.ForgottenTable, Keys.ForgottenDigest);
    }

    internal void WritePosition(Position position)
        => _writePosition.Bind(1, (long)position.Term.Value).Bind(2, (long)position.Index.Value).Run();

    /// <summary>Writes a table's digest; null removes it.</summary>
    internal void WriteDigest(string table, Digest128? digest)
    {
        if (digest is not { } value)
        {
            _removeDigest.Bind(1, table).Run();
            return;
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value.Value);
        _writeDigest.Bind(1, table).BindBlob(2, bytes).Run();
    }

    public void Dispose()
    {
        foreach (var statement in (SqliteStatement?[])[_writePosition, _writeDigest, _removeDigest])
            statement?.Dispose();
        Keys?.Dispose();
    }

    internal static UInt128 ReadHash(ReadOnlySpan<byte> bytes)
        => bytes.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : throw new InvariantViolationException("A kept hash is not 16 bytes.");
}
