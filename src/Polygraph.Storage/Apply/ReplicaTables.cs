using System.Buffers.Binary;
using System.Globalization;
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
    /// How long an idempotency key is remembered, by the age of the log: its hybrid time, which grows along the log whatever the leaders' clocks say, less
    /// what it jumped (<see cref="AgedAtMost"/>). A key that is dated (a UUID of version 7) after the log's time is kept for so much longer: then every
    /// forgotten one is older than that, and a client whose clock is ahead cannot make everybody else's keys look old.
    /// </summary>
    internal static readonly TimeSpan KeyRetention = TimeSpan.FromHours(24);

    /// <summary>Expired keys go at every so many entries, by index and not by clock, so that every replica drops them at the same entry.</summary>
    private const ulong EntriesBetweenPrunes = 256;

    /// <summary>
    /// The log ages by at most this between two prunes, whatever its time says: one leader whose clock is 36 h ahead must not make keys of a second ago
    /// forgotten, and those that come late look as if they were. Where 256 entries take longer than this, keys are kept for up to 6,400 entries instead.
    /// </summary>
    private static readonly TimeSpan AgedAtMost = TimeSpan.FromHours(1);

    // Milliseconds: of this entry's time, what counts as age since the last prune.
    private static readonly string Aged = string.Create(CultureInfo.InvariantCulture, $"min(max(?1 - log_time, 0), {AgedAtMost.TotalMilliseconds})");

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
    private readonly SqliteStatement? _grow;
    private readonly SqliteStatement? _age;

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
            "CREATE TABLE IF NOT EXISTS main.polygraph_forgotten(id INTEGER PRIMARY KEY CHECK(id = 1), newest_drawn INTEGER NOT NULL, "
            + "age INTEGER NOT NULL DEFAULT 0, log_time INTEGER NOT NULL DEFAULT 0)");
        connection.Execute("INSERT OR IGNORE INTO main.polygraph_forgotten(id, newest_drawn) VALUES (1, -1)");

        // A database that an earlier version made: every replica of it, with whatever version, goes on by the log's time alone, or they would differ.
        var ages = HasAge(connection);
        _writePosition = connection.Prepare("UPDATE main.polygraph_position SET term = ?, idx = ? WHERE id = 1");
        _writeDigest = connection.Prepare("INSERT INTO main.polygraph_digests VALUES (?, ?) ON CONFLICT(table_name) DO UPDATE SET digest = excluded.digest");
        _removeDigest = connection.Prepare("DELETE FROM main.polygraph_digests WHERE table_name = ?");
        _findKey = connection.Prepare("SELECT term, idx, request_hash, result FROM main.polygraph_idempotency WHERE key = ?");
        _addKey = connection.Prepare(
            $"INSERT INTO main.polygraph_idempotency({IdempotencyColumns}) VALUES (?2, ?3, ?4, ?5, "
            + (ages ? $"(SELECT age + {Aged} FROM main.polygraph_forgotten)" : "?1") + " + max(coalesce(?6, ?1) - ?1, 0), ?6, ?7)");
        if (ages)
        {
            _grow = connection.Prepare($"UPDATE main.polygraph_forgotten SET age = age + {Aged}, log_time = max(log_time, ?1)");
            _age = connection.Prepare("SELECT age FROM main.polygraph_forgotten");
        }

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
            ForgetBefore(AgeAt(now) - (long)KeyRetention.TotalMilliseconds);
        if (header.IdempotencyKey is not { } key)
            return;
        Span<byte> hash = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(hash, header.RequestHash);
        _addKey.Bind(1, now)
            .Bind(2, key)
            .Bind(3, (long)header.Position.Term.Value)
            .Bind(4, (long)header.Position.Index.Value)
            .BindBlob(5, hash)
            .Bind(6, DrawnMilliseconds(key) is { } dated ? SqlValue.FromInteger(dated) : SqlValue.Null)
            .BindBlob(7, result)
            .Run();
    }

    /// <summary>
    /// Whether a key that is not remembered may have been used and forgotten: it is dated, and not newer than every dated key that was forgotten.
    /// No clock is asked. A key without a date counts as new.
    /// </summary>
    internal bool MayBeForgotten(string key)
    {
        return DrawnMilliseconds(key) is { } drawn && drawn <= ReadNumber(_newestForgotten);
    }

    /// <summary>What the times of keys are compared with at a prune.</summary>
    private long AgeAt(long now)
    {
        if (_grow is null || _age is null)
            return now;
        _grow.Bind(1, now).Run();
        return ReadNumber(_age);
    }

    private static long ReadNumber(SqliteStatement query)
    {
        try
        {
            Invariant.Holds(query.Step(), "what was forgotten is kept in one row");
            return query.ColumnInteger(0);
        }
        finally
        {
            query.Reset();
        }
    }

    private static bool HasAge(SqliteConnection connection)
    {
        using var columns = connection.Prepare("SELECT 1 FROM pragma_table_info('polygraph_forgotten', 'main') WHERE name = 'age'");
        return columns.Step();
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
        foreach (var statement in (SqliteStatement?[])[_writePosition, _writeDigest, _removeDigest, _findKey, _addKey, _newestForgotten, _raiseForgotten, _pruneKeys, _grow, _age])
            statement?.Dispose();
    }

    private static UInt128 ReadHash(ReadOnlySpan<byte> bytes)
        => bytes.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : throw new InvariantViolationException("A kept hash is not 16 bytes.");
}
