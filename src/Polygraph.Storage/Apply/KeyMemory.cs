using System.Buffers.Binary;
using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>
/// The idempotency keys that a replica remembers, and what it has forgotten. Their digests are kept as those of users' tables are, in the transaction
/// that changes them, so that a file that was changed while nobody looked is not served. No entry has them: what is remembered follows from the entries.
/// </summary>
internal sealed class KeyMemory : IDisposable
{
    /// <summary>
    /// How long an idempotency key is remembered, by the age of the log: its hybrid time, which grows along the log whatever the leaders' clocks say, less
    /// what it jumped (<see cref="AgedAtMost"/>). A key that is dated (a UUID of version 7) after the log's time is kept for so much longer: then every
    /// forgotten one is older than that, and a client whose clock is ahead cannot make everybody else's keys look old.
    /// </summary>
    internal static readonly TimeSpan Retention = TimeSpan.FromHours(24);

    /// <summary>Expired keys go at every so many entries, by index and not by clock, so that every replica drops them at the same entry.</summary>
    private const ulong EntriesBetweenPrunes = 256;

    /// <summary>
    /// The log ages by at most this between two prunes, whatever its time says: one leader whose clock is 36 h ahead must not make keys of a second ago
    /// forgotten, and those that come late look as if they were. Where 256 entries take longer than this, keys are kept for up to 6,400 entries instead.
    /// </summary>
    private static readonly TimeSpan AgedAtMost = TimeSpan.FromHours(1);

    internal const string KeysTable = "polygraph_idempotency";
    private const string KeysColumns = "key, term, idx, request_hash, time, drawn, result";
    internal const string ForgottenTable = "polygraph_forgotten";

    private const int DrawnColumn = 5;

    private readonly SqliteConnection _connection;
    private readonly LogicalPayloadWriter _image = new(initialBytes: 512);
    private readonly SqliteStatement _find;
    private readonly SqliteStatement _add;
    private readonly SqliteStatement _expired;
    private readonly SqliteStatement _prune;
    private readonly SqliteStatement _writeForgotten;

    // A database that an earlier version made: every replica of it, with whatever version, goes on by the log's time alone, or they would differ.
    private readonly bool _ages;

    // As the open transaction has it, and as the last one that was committed left it.
    private State _state;
    private State _committed;

    private readonly record struct State(Digest128 Keys, Digest128 Forgotten, long NewestDrawn, long Age, long LogTime);

    /// <summary>Creates the tables if the database is new. <see cref="Load"/> comes before any use.</summary>
    internal KeyMemory(SqliteConnection connection)
    {
        _connection = connection;
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_idempotency(key TEXT PRIMARY KEY, term INTEGER NOT NULL, idx INTEGER NOT NULL, "
            + "request_hash BLOB NOT NULL, time INTEGER NOT NULL, drawn INTEGER, result BLOB NOT NULL) WITHOUT ROWID");
        connection.Execute("CREATE INDEX IF NOT EXISTS main.polygraph_idempotency_time ON polygraph_idempotency(time)");
        connection.Execute(
            "CREATE TABLE IF NOT EXISTS main.polygraph_forgotten(id INTEGER PRIMARY KEY CHECK(id = 1), newest_drawn INTEGER NOT NULL, "
            + "age INTEGER NOT NULL DEFAULT 0, log_time INTEGER NOT NULL DEFAULT 0)");
        connection.Execute("INSERT OR IGNORE INTO main.polygraph_forgotten(id, newest_drawn) VALUES (1, -1)");
        _ages = HasAge(connection);
        _find = connection.Prepare("SELECT term, idx, request_hash, result FROM main.polygraph_idempotency WHERE key = ?");
        _add = connection.Prepare($"INSERT INTO main.polygraph_idempotency({KeysColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)");
        _expired = connection.Prepare($"SELECT {KeysColumns} FROM main.polygraph_idempotency WHERE time < ?");
        _prune = connection.Prepare("DELETE FROM main.polygraph_idempotency WHERE time < ?");
        _writeForgotten = connection.Prepare($"UPDATE main.polygraph_forgotten SET newest_drawn = ?1{(_ages ? ", age = ?2, log_time = ?3" : "")}");
    }

    /// <summary>
    /// The digests as they are kept; null for what the database keeps none of, because an earlier version made it: then those of the rows that are there,
    /// which nothing vouches for.
    /// </summary>
    internal void Load(Digest128? keys, Digest128? forgotten)
    {
        using var row = _connection.Prepare($"SELECT newest_drawn, {(_ages ? "age, log_time" : "0, 0")} FROM main.polygraph_forgotten");
        Invariant.Holds(row.Step(), "what was forgotten is kept in one row");
        _state = _committed = new State(
            keys ?? ScanKeys(_connection, default).Digest,
            forgotten ?? ScanForgotten(_connection).Digest,
            row.ColumnInteger(0),
            row.ColumnInteger(1),
            row.ColumnInteger(2));
    }

    /// <summary>The digest of the keys that the open transaction remembers.</summary>
    internal Digest128 KeysDigest => _state.Keys;

    /// <summary>The digest of what it says of the forgotten ones.</summary>
    internal Digest128 ForgottenDigest => _state.Forgotten;

    /// <summary>Whether the open transaction has changed the keys, so that their digest is to be written.</summary>
    internal bool HasNewKeys => _state.Keys != _committed.Keys;

    /// <summary>As <see cref="HasNewKeys"/>, of what was forgotten.</summary>
    internal bool HasNewForgotten => _state.Forgotten != _committed.Forgotten;

    /// <summary>The transaction was committed.</summary>
    internal void NoteCommit() => _committed = _state;

    /// <summary>It was undone.</summary>
    internal void NoteRollback() => _state = _committed;

    /// <summary>Reads all keys.</summary>
    internal static (Digest128 Digest, long Rows) ScanKeys(SqliteConnection connection, CancellationToken cancellation)
        => TableScanner.Scan(connection, $"SELECT {KeysColumns} FROM main.{KeysTable}", cancellation);

    /// <summary>Reads all that is kept of forgotten keys.</summary>
    internal static (Digest128 Digest, long Rows) ScanForgotten(SqliteConnection connection)
        => TableScanner.Scan(connection, $"SELECT * FROM main.{ForgottenTable}");

    /// <summary>The entry that used a key, if one did and is not forgotten.</summary>
    internal DuplicateKey? Find(string key, UInt128 requestHash)
    {
        try
        {
            if (!_find.Bind(1, key).Step())
                return null;
            var position = new Position(new Term((ulong)_find.ColumnInteger(0)), new LogIndex((ulong)_find.ColumnInteger(1)));
            return new DuplicateKey(
                position,
                LogicalPayloadResult.Decode(_find.ColumnBytes(3).ToArray()),
                ReplicaTables.ReadHash(_find.ColumnBytes(2)) == requestHash);
        }
        finally
        {
            _find.Reset();
        }
    }

    /// <summary>
    /// Whether a key that is not remembered may have been used and forgotten: it is dated, and not newer than every dated key that was forgotten.
    /// No clock is asked. A key without a date counts as new.
    /// </summary>
    internal bool MayBeForgotten(string key) => DrawnMilliseconds(key) is { } drawn && drawn <= _state.NewestDrawn;

    /// <summary>Remembers the entry's key, and forgets old ones when it is time. The same for every replica that has the entry.</summary>
    internal void Finish(EntryHeader header, ReadOnlySpan<byte> result)
    {
        var now = (long)(header.HybridTime >> EntryHeader.HybridCounterBits);
        if (header.Position.Index.Value % EntriesBetweenPrunes == 0)
            Prune(now);
        if (header.IdempotencyKey is { } key)
            Add(SqlValue.FromText(key), header, now, DrawnMilliseconds(key), result);
    }

    private void Add(SqlValue key, EntryHeader header, long now, long? drawn, ReadOnlySpan<byte> result)
    {
        Span<byte> hash = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(hash, header.RequestHash);
        var term = (long)header.Position.Term.Value;
        var index = (long)header.Position.Index.Value;
        var time = (_ages ? _state.Age + AgedSincePrune(now) : now) + Math.Max((drawn ?? now) - now, 0);
        var dated = drawn is { } milliseconds ? SqlValue.FromInteger(milliseconds) : SqlValue.Null;
        _add.Bind(1, key).Bind(2, term).Bind(3, index).BindBlob(4, hash).Bind(5, time).Bind(6, dated).BindBlob(7, result).Run();

        // What reading the row gives.
        _image.Clear();
        _image.WriteValue(key);
        _image.WriteInteger(term);
        _image.WriteInteger(index);
        _image.WriteTextOrBlob(SqlValueKind.Blob, hash);
        _image.WriteInteger(time);
        _image.WriteValue(dated);
        _image.WriteTextOrBlob(SqlValueKind.Blob, result);
        _state = _state with { Keys = _state.Keys + RowHash.Of(_image.Written) };
    }

    /// <summary>Milliseconds: of this entry's time, what counts as age since the last prune.</summary>
    private long AgedSincePrune(long now) => Math.Min(Math.Max(now - _state.LogTime, 0), (long)AgedAtMost.TotalMilliseconds);

    private void Prune(long now)
    {
        var state = _ages ? _state with { Age = _state.Age + AgedSincePrune(now), LogTime = Math.Max(_state.LogTime, now) } : _state;
        var before = (_ages ? state.Age : now) - (long)Retention.TotalMilliseconds;
        _state = TakeExpired(state, before);
        _prune.Bind(1, before).Run();
        _writeForgotten.Bind(1, _state.NewestDrawn);
        if (_ages)
            _writeForgotten.Bind(2, _state.Age).Bind(3, _state.LogTime);
        _writeForgotten.Run();
        _state = _state with { Forgotten = ScanForgotten(_connection).Digest };
    }

    /// <summary>What is left when the keys of before a time are forgotten.</summary>
    private State TakeExpired(State state, long before)
    {
        var columns = _expired.ColumnCount;
        try
        {
            _expired.Bind(1, before);
            while (_expired.Step())
            {
                _image.Clear();
                RowImage.Write(_image, _expired, columns);
                state = state with { Keys = state.Keys - RowHash.Of(_image.Written) };
                if (_expired.ColumnKind(DrawnColumn) == SqlValueKind.Integer)
                    state = state with { NewestDrawn = Math.Max(state.NewestDrawn, _expired.ColumnInteger(DrawnColumn)) };
            }
        }
        finally
        {
            _expired.Reset();
        }

        return state;
    }

    private static bool HasAge(SqliteConnection connection)
    {
        using var columns = connection.Prepare("SELECT 1 FROM pragma_table_info('polygraph_forgotten', 'main') WHERE name = 'age'");
        return columns.Step();
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
        foreach (var statement in (SqliteStatement?[])[_find, _add, _expired, _prune, _writeForgotten])
            statement?.Dispose();
    }
}
