using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>
/// Our own rows in the database: the position, the digests and the idempotency keys. Written in the same transactions as the data, on leader
/// and followers by the same code.
/// </summary>
internal sealed class ReplicaTables : IDisposable
{
    /// <summary>
    /// How long an idempotency key is remembered, in the log's hybrid time, which grows along the log whatever the leaders' clocks say. A dated
    /// key (a UUID of version 7) is also kept until the log's time is as far behind its date: then every forgotten one is older than that, and
    /// a client whose clock is ahead cannot make everybody else's keys look old.
    /// </summary>
    internal static readonly TimeSpan KeyRetention = TimeSpan.FromHours(24);

    /// <summary>Expired keys go at every so many entries, by index and not by clock, so that every replica drops them at the same entry.</summary>
    private const ulong EntriesBetweenPrunes = 256;

    internal static readonly string[] Names = ["polygraph_position", "polygraph_digests", "polygraph_idempotency", "polygraph_forgotten"];

    internal const string PositionQuery = "SELECT term, idx FROM main.polygraph_position";
    internal const string Idempotency = "polygraph_idempotency";
    internal const string IdempotencyColumns = "key, term, idx, request_hash, time, drawn, result";
    internal const string Forgotten = "polygraph_forgotten";
    internal const string ForgottenColumns = "newest_drawn";

    private readonly SqliteStatement _writePosition;
    private readonly SqliteStatement _writeDigest;
    private readonly SqliteStatement _removeDigest;
    private readonly SqliteStatement _findKey;
    private readonly SqliteStatement _addKey;
    private readonly SqliteStatement _newestForgotten;
    private readonly SqliteStatement _raiseForgotten;
    private readonly SqliteStatement _pruneKeys;

    /// <summary>Creates the tables if the database is new.</summary>
    internal ReplicaTables(SqliteConnection connection)
    {
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_position(id INTEGER PRIMARY KEY CHECK(id = 1), term INTEGER NOT NULL, idx INTEGER NOT NULL)");
        connection.Execute("INSERT OR IGNORE INTO main.polygraph_position VALUES (1, 0, 0)");
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_digests(table_name TEXT PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID");
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_idempotency(key TEXT PRIMARY KEY, term INTEGER NOT NULL, idx INTEGER NOT NULL, "
            + "request_hash BLOB NOT NULL, time INTEGER NOT NULL, drawn INTEGER, result BLOB NOT NULL) WITHOUT ROWID");
        connection.Execute("CREATE INDEX IF NOT EXISTS main.polygraph_idempotency_time ON polygraph_idempotency(time)");
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_forgotten(id INTEGER PRIMARY KEY CHECK(id = 1), newest_drawn INTEGER NOT NULL)");
        connection.Execute("INSERT OR IGNORE INTO main.polygraph_forgotten VALUES (1, -1)");
        _writePosition = connection.Prepare("UPDATE main.polygraph_position SET term = ?, idx = ? WHERE id = 1");
        _writeDigest = connection.Prepare("INSERT INTO main.polygraph_digests VALUES (?, ?) ON CONFLICT(table_name) DO UPDATE SET digest = excluded.digest");
        _removeDigest = connection.Prepare("DELETE FROM main.polygraph_digests WHERE table_name = ?");
        _findKey = connection.Prepare("SELECT term, idx, request_hash, result FROM main.polygraph_idempotency WHERE key = ?");
        _addKey = connection.Prepare($"INSERT INTO main.polygraph_idempotency({IdempotencyColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)");
        _newestForgotten = connection.Prepare("SELECT newest_drawn FROM main.polygraph_forgotten");
        _raiseForgotten = connection.Prepare(
            "UPDATE main.polygraph_forgotten SET newest_drawn = "
            + "max(newest_drawn, (SELECT coalesce(max(drawn), -1) FROM main.polygraph_idempotency WHERE time < ?))");
        _pruneKeys = connection.Prepare("DELETE FROM main.polygraph_idempotency WHERE time < ?");
    }

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

    /// <summary>The entry that used a key, if one did and is not forgotten.</summary>
    internal DuplicateKey? FindKey(string key, UInt128 requestHash)
    {
        try
        {
            if (!_findKey.Bind(1, key).Step())
                return null;
            var position = new Position(
                new Term((ulong)_findKey.ColumnInteger(0)), new LogIndex((ulong)_findKey.ColumnInteger(1)));
            return new DuplicateKey(
                position,
                LogicalPayloadResult.Decode(_findKey.ColumnBytes(3).ToArray()),
                ReadHash(_findKey.ColumnBytes(2)) == requestHash);
        }
        finally
        {
            _findKey.Reset();
        }
    }

    /// <summary>Remembers the entry's key, and forgets old ones when it is time. The same for every replica that has the entry.</summary>
    internal void Finish(EntryHeader header, ReadOnlySpan<byte> result)
    {
        var now = (long)(header.HybridTime >> EntryHeader.HybridCounterBits);
        if (header.Position.Index.Value % EntriesBetweenPrunes == 0)
            ForgetBefore(now - (long)KeyRetention.TotalMilliseconds);
        if (header.IdempotencyKey is not { } key)
            return;
        Span<byte> hash = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(hash, header.RequestHash);
        var drawn = DrawnMilliseconds(key);
        _addKey.Bind(1, key)
            .Bind(2, (long)header.Position.Term.Value)
            .Bind(3, (long)header.Position.Index.Value)
            .BindBlob(4, hash)
            .Bind(5, Math.Max(now, drawn ?? now))
            .Bind(6, drawn is { } dated ? SqlValue.FromInteger(dated) : SqlValue.Null)
            .BindBlob(7, result)
            .Run();
    }

    /// <summary>
    /// Whether a key that is not remembered may have been used and forgotten: it is dated, and not newer than every dated key that was forgotten.
    /// No clock is asked. A key without a date counts as new.
    /// </summary>
    internal bool MayBeForgotten(string key)
    {
        if (DrawnMilliseconds(key) is not { } drawn)
            return false;
        try
        {
            Invariant.Holds(_newestForgotten.Step(), "the date of the newest forgotten key is kept");
            return drawn <= _newestForgotten.ColumnInteger(0);
        }
        finally
        {
            _newestForgotten.Reset();
        }
    }

    private void ForgetBefore(long milliseconds)
    {
        _raiseForgotten.Bind(1, milliseconds).Run();
        _pruneKeys.Bind(1, milliseconds).Run();
    }

    /// <summary>When a key was drawn, milliseconds since 1970 UTC by its client's clock: a UUID of version 7 tells. Null: another kind of key.</summary>
    private static long? DrawnMilliseconds(string key)
    {
        const int TimeBits = 48;
        if (!Guid.TryParse(key, out var id) || id.Version != 7)
            return null;
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return (long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> (64 - TimeBits));
    }

    public void Dispose()
    {
        foreach (var statement in (SqliteStatement[])[_writePosition, _writeDigest, _removeDigest, _findKey, _addKey, _newestForgotten, _raiseForgotten, _pruneKeys])
            statement.Dispose();
    }

    private static UInt128 ReadHash(ReadOnlySpan<byte> bytes)
        => bytes.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : throw new InvariantViolationException("A kept hash is not 16 bytes.");
}
