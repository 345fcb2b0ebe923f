using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Tests.Apply;

/// <summary>A follower whose rows were changed behind our back notices, says where, and keeps what it had.</summary>
public sealed class DivergenceTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public DivergenceTests()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "CREATE TABLE other(x)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
        _pair.Ship();
    }

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData("UPDATE t SET v = 'edited' WHERE id = 2", "UPDATE t SET v = 'x' WHERE id = 2")]
    [InlineData("UPDATE t SET v = NULL WHERE id = 2", "DELETE FROM t WHERE id = 2")]
    [InlineData("DELETE FROM t WHERE id = 2", "UPDATE t SET v = 'x' WHERE id = 2")]
    [InlineData("DELETE FROM t WHERE id = 2", "DELETE FROM t WHERE id = 2")]
    [InlineData("INSERT INTO t VALUES (4, 'd')", "INSERT INTO t VALUES (4, 'd')")]
    [InlineData("DROP TABLE t", "INSERT INTO t VALUES (4, 'd')")]
    [InlineData("ALTER TABLE t ADD COLUMN z", "INSERT INTO t VALUES (4, 'd')")]
    public void A_hand_edited_row_is_caught_at_the_next_write(string edit, string write)
    {
        Edit(edit);
        var applied = _pair.Follower.Applied;
        _pair.Run("INSERT INTO other VALUES ('before, in the same list')");
        var execution = _pair.Run(Units.Atomic(write));
        var divergence = Assert.Throws<DivergenceException>(_pair.Ship);
        Assert.Equal("t", divergence.Table);
        Assert.Equal(execution.Entry?.Position, divergence.Position);
        Assert.Contains("\"t\"", divergence.Message);
        Assert.Equal(applied, _pair.Follower.Applied);
        Assert.Empty(ReplicaPair.Query(_pair.Follower, "SELECT * FROM other"));
    }

    [Theory]
    [InlineData("UPDATE t SET v = 'edited' WHERE id = 2")]
    [InlineData("DELETE FROM t WHERE id = 3")]
    [InlineData("INSERT INTO t VALUES (9, 'a')")]
    [InlineData("UPDATE t SET id = 20 WHERE id = 2")]
    public void A_hand_edited_row_is_caught_by_a_full_scan(string edit)
    {
        Edit(edit);
        using var snapshot = _pair.Follower.Readers.OpenSnapshot();
        var scan = snapshot.FullScan(TestContext.Current.CancellationToken);
        Assert.Equal(["t"], scan.Where(table => !table.IsConsistent).Select(table => table.Table));
    }

    [Theory]
    [InlineData("CREATE VIEW v AS SELECT 1", "sqlite_schema")]
    [InlineData("CREATE INDEX i ON t(v)", "sqlite_schema")]
    [InlineData("PRAGMA user_version = 5", "PRAGMA user_version, application_id")]
    [InlineData("PRAGMA application_id = 5", "PRAGMA user_version, application_id")]
    [InlineData("INSERT INTO sqlite_sequence VALUES ('x', 1)", "sqlite_sequence")]
    public void What_is_no_row_of_a_table_is_seen_in_a_comparison_of_scans(string edit, string where)
    {
        _pair.Run("CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT)");
        _pair.Ship();
        Edit(edit);
        using var leader = _pair.Leader.Readers.OpenSnapshot();
        using var follower = _pair.Follower.Readers.OpenSnapshot();
        var cancellation = TestContext.Current.CancellationToken;
        Assert.Equal([where], leader.FullScan(cancellation).Except(follower.FullScan(cancellation)).Select(table => table.Table));
    }

    [Theory]
    [InlineData("PRAGMA user_version, application_id", "PRAGMA user_version = 8")]
    [InlineData("PRAGMA user_version, application_id", "PRAGMA application_id = 1")]
    [InlineData("sqlite_schema", "DROP VIEW doubled; CREATE VIEW doubled AS SELECT 3 * id AS id FROM item")]
    public void An_edited_schema_that_changes_no_row_is_caught_by_a_full_scan_and_at_every_later_one(string found, string edit)
    {
        _pair.Run("PRAGMA user_version = 7", "CREATE VIEW doubled AS SELECT 2 * id AS id FROM item");
        _pair.Ship();
        _pair.AssertSame();
        Edit(edit);
        Assert.Equal([found], Changed());

        _pair.Run("INSERT INTO other VALUES (2)");
        _pair.Ship();
        _pair.RestartFollower();
        Assert.Equal([found], Changed());
    }

    [Theory]
    [InlineData("polygraph_idempotency", "UPDATE polygraph_idempotency SET idx = idx + 64 WHERE key = 'key'")]
    [InlineData("polygraph_idempotency", "UPDATE polygraph_idempotency SET key = 'kez' WHERE key = 'key'")]
    [InlineData("polygraph_idempotency", "UPDATE polygraph_idempotency SET time = time + 1 WHERE key = 'key'")]
    [InlineData("polygraph_idempotency", "DELETE FROM polygraph_idempotency WHERE key = 'key'")]
    [InlineData("polygraph_forgotten", "UPDATE polygraph_forgotten SET newest_drawn = 0")]
    [InlineData("polygraph_forgotten", "UPDATE polygraph_forgotten SET age = age + 1")]
    [InlineData("polygraph_forgotten", "UPDATE polygraph_forgotten SET log_time = 0")]
    public void A_hand_edited_key_memory_is_caught_by_a_full_scan_and_at_every_later_one(string table, string edit)
    {
        _pair.Run(Units.Atomic("INSERT INTO other VALUES (1)"), "key");
        RunPastAPrune();
        Edit(edit);
        Assert.Equal([table], Changed());

        _pair.Run(Units.Atomic("INSERT INTO other VALUES (2)"), "another");
        _pair.Ship();
        _pair.RestartFollower();
        Assert.Equal([table], Changed());
    }

    [Fact]
    public void Keys_that_an_earlier_version_kept_without_a_digest_get_one_when_the_database_is_opened()
    {
        _pair.Run(Units.Atomic("INSERT INTO other VALUES (1)"), "key");
        _pair.Ship();
        Edit("DELETE FROM polygraph_digests WHERE table_name LIKE 'polygraph%'");
        _pair.AssertSame();
        RunPastAPrune();
        _pair.AssertSame();
    }

    [Fact]
    public void A_header_with_another_digest_is_not_applied()
    {
        var entry = _pair.Run(Units.Atomic("INSERT INTO t VALUES (4, 'd')")).Entry!;
        var (header, payload) = EntryCodec.Decode(entry.Record);
        var wrong = header with { Digests = [header.Digests[0] with { Digest = Digest128.Empty }] };
        var divergence = Assert.Throws<DivergenceException>(
            () => _pair.Follower.Apply([new LogEntry(entry.Position, EntryCodec.Encode(wrong, payload.Span))]));
        Assert.Equal((Digest128.Empty, header.Digests[0].Digest), (divergence.Expected, divergence.Found));
        _pair.AssertSame();
    }

    [Fact]
    public void Damaged_payloads_are_refused_and_leave_nothing()
    {
        var entry = _pair.Run(Units.Atomic("INSERT INTO t VALUES (4, 'd')", "UPDATE t SET v = 'e'", "CREATE TABLE u(x)")).Entry!;
        var (header, payload) = EntryCodec.Decode(entry.Record);
        var before = _pair.Follower.Digests.OrderBy(pair => pair.Key).ToList();
        for (var length = 0; length < payload.Length; length++)
        {
            var cut = new LogEntry(entry.Position, EntryCodec.Encode(header, payload.Span[..length]));
            Assert.Throws<LogicalPayloadException>(() => _pair.Follower.Apply([cut]));
        }

        Assert.Equal(before, _pair.Follower.Digests.OrderBy(pair => pair.Key));
        _pair.AssertSame();
    }

    [Fact]
    public void Entries_without_rows_advance_the_position()
    {
        var position = new Position(new Term(2), _pair.Follower.Applied.Index.Next);
        var noOp = new EntryHeader { Position = position, Payload = PayloadFormat.NoOp };
        var mark = noOp with { Position = new Position(new Term(2), position.Index.Next), Payload = PayloadFormat.VerifyMark };
        _pair.Follower.Apply([new LogEntry(position, EntryCodec.Encode(noOp, [])), new LogEntry(mark.Position, EntryCodec.Encode(mark, new byte[16]))]);
        Assert.Equal(mark.Position, _pair.Follower.Applied);
        _pair.RestartFollower();
        Assert.Equal(mark.Position, _pair.Follower.Applied);
        using var reader = _pair.Follower.Readers.Rent(TestContext.Current.CancellationToken);
        Assert.Equal(mark.Position, reader.Execute(Units.Autocommit("SELECT 1")).Snapshot);
    }

    private List<string> Changed()
    {
        using var snapshot = _pair.Follower.Readers.OpenSnapshot();
        return [.. snapshot.FullScan(TestContext.Current.CancellationToken).Where(scan => !scan.IsConsistent).Select(scan => scan.Table)];
    }

    /// <summary>What is kept of forgotten keys is written at every 256th entry.</summary>
    private void RunPastAPrune()
    {
        _pair.Leader.BeginBatch();
        for (var i = 0; i < 256; i++)
            _pair.Execute(Units.Atomic("INSERT INTO other VALUES (1)"), $"prune {i}");
        _pair.Leader.CommitBatch();
        _pair.Ship();
    }

    /// <summary>Changes the follower's file past Polygraph, as somebody with a SQLite shell would.</summary>
    private void Edit(string sql)
    {
        using (var connection = SqliteConnection.Open(_pair.FollowerPath, readOnly: false))
            connection.Execute(sql);
        _pair.RestartFollower();
    }
}
