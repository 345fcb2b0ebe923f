using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;
using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Snapshots;

/// <summary>A snapshot is one state of a database, whatever is written meanwhile, and nothing else is accepted in its place.</summary>
public sealed class SnapshotTests : IDisposable
{
    private static readonly SnapshotOwner Owner = new(new ClusterId(42), new GroupId(3), new NodeId("n1"));
    private static readonly TermHistory Terms = TermHistory.Empty.Append(new Position(new Term(1), new LogIndex(1)));

    private readonly ReplicaPair _pair = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-snapshot-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static DiskFileSystem Disk => DiskFileSystem.Instance;

    private string CopyPath => Path.Combine(_directory, "copy?100%#.sqlite");

    private ReplicaHome Home => new(Path.Combine(_directory, "home"));

    [Fact]
    public void A_snapshot_is_the_state_of_one_entry_although_the_leader_writes_on()
    {
        Fill();
        using var snapshot = _pair.Leader.Readers.OpenSnapshot();
        _pair.Run("UPDATE t SET body = 'later'", "CREATE TABLE later(id INTEGER PRIMARY KEY)");
        var manifest = Write(snapshot);

        Assert.Equal(new LogIndex(2), manifest.Position.Index);
        Assert.Equal(["t"], manifest.Tables.Select(table => table.Table));
        SnapshotVerification.Check(CopyPath, manifest, Cancellation);
        Assert.Equal(["copy?100%#.sqlite"], Directory.GetFiles(_directory).Select(Path.GetFileName));

        // The copy goes on as a replica: the entries since then bring it to where the leader is.
        using var copy = ReplicaDatabase.Open(CopyPath, ReplicaDatabaseOptions.Default);
        Assert.Equal(manifest.Position, copy.Applied);
        copy.Apply([.. _pair.History.Where(entry => entry.Position.Index > manifest.Position.Index)]);
        Assert.Equal(_pair.Leader.Digests, copy.Digests);
        Assert.Equal(ReplicaPair.Query(_pair.Leader, "SELECT count(*), min(body) FROM t"), ReplicaPair.Query(copy, "SELECT count(*), min(body) FROM t"));
    }

    [Fact]
    public void A_copy_is_summed_after_its_snapshot_was_given_back_and_the_database_closed()
    {
        Fill();
        SnapshotCopy copy;
        using (var snapshot = _pair.Leader.Readers.OpenSnapshot())
            copy = SnapshotWriter.Copy(snapshot, CopyPath, Cancellation);
        _pair.Leader.Readers.Drain(TimeSpan.Zero);
        var manifest = SnapshotWriter.Describe(copy, Guid.CreateVersion7(), Terms, Owner, Cancellation);
        SnapshotVerification.Check(CopyPath, manifest, Cancellation);
    }

    [Fact]
    public void A_copy_stops_when_its_database_is_drained_and_when_it_is_cancelled()
    {
        Fill();
        using (var snapshot = _pair.Leader.Readers.OpenSnapshot())
        {
            Assert.Throws<OperationCanceledException>(() => SnapshotWriter.Copy(snapshot, CopyPath, new CancellationToken(true)));
            Assert.Throws<TimeoutException>(() => _pair.Leader.Readers.Drain(TimeSpan.Zero));
            Assert.ThrowsAny<Exception>(() => SnapshotWriter.Copy(snapshot, CopyPath, Cancellation));
        }

        _pair.Leader.Readers.Drain(TimeSpan.Zero);
    }

    [Fact]
    public void The_manifest_comes_back_from_its_json_and_a_damaged_one_is_refused()
    {
        var manifest = Take();
        var json = manifest.ToJson();
        Assert.Equal(json, SnapshotManifest.FromJson(json).ToJson());
        Assert.Equal(manifest.Base.Position, SnapshotManifest.FromJson(json).Position);
        foreach (var wrong in new[]
        {
            manifest with { Format = 2 },
            manifest with { Checksums = manifest.Checksums[4..] },
            manifest with { ChunkBytes = 0 },
            manifest with { Bytes = -1 },
            manifest with { Terms = [] },
        })
        {
            Assert.Throws<SnapshotRefusedException>(() => SnapshotManifest.FromJson(wrong.ToJson()));
        }

        Assert.Throws<SnapshotRefusedException>(() => SnapshotManifest.FromJson("{}"u8));
        Assert.Throws<SnapshotRefusedException>(() => SnapshotManifest.FromJson(json.AsSpan(0, json.Length / 2)));
    }

    [Fact]
    public void A_download_goes_on_where_it_was_when_the_process_died()
    {
        var manifest = Take();
        var bytes = File.ReadAllBytes(CopyPath);
        Assert.True(manifest.Chunks > 2, "the scenario needs several chunks");
        Disk.CreateDirectory(Home.Path);
        using (var first = IncomingSnapshot.Begin(Disk, Home, manifest))
        {
            first.Add(Chunk(bytes, manifest, 0));
            first.Add(Chunk(bytes, manifest, 1));
        }

        // What the disk lost or damaged meanwhile is fetched again.
        using (var file = File.OpenWrite(Home.IncomingFile))
        {
            file.Position = manifest.ChunkBytes + 77;
            file.WriteByte((byte)~bytes[manifest.ChunkBytes + 77]);
        }

        using (var resumed = IncomingSnapshot.TryResume(Disk, Home)!)
        {
            Assert.Equal(manifest.Snapshot, resumed.Manifest.Snapshot);
            Assert.Equal(1, resumed.NextChunk);
            while (!resumed.IsComplete)
                resumed.Add(Chunk(bytes, manifest, resumed.NextChunk));
            resumed.Complete();
        }

        SnapshotVerification.Check(Home.IncomingFile, manifest, Cancellation);
        Assert.Equal(bytes, File.ReadAllBytes(Home.IncomingFile));
        Home.ForgetIncoming(Disk);
        Assert.Null(IncomingSnapshot.TryResume(Disk, Home));
    }

    [Fact]
    public void A_chunk_that_was_damaged_on_its_way_is_refused_and_not_kept()
    {
        var manifest = Take();
        var bytes = File.ReadAllBytes(CopyPath);
        Disk.CreateDirectory(Home.Path);
        using var incoming = IncomingSnapshot.Begin(Disk, Home, manifest);
        var wrong = Chunk(bytes, manifest, 0).ToArray();
        wrong[5] ^= 1;
        Assert.Throws<SnapshotRefusedException>(() => incoming.Add(wrong));
        Assert.Throws<SnapshotRefusedException>(() => incoming.Add(Chunk(bytes, manifest, 0)[..100]));
        Assert.Equal(0, incoming.NextChunk);
        incoming.Add(Chunk(bytes, manifest, 0));
        Assert.Throws<SnapshotRefusedException>(incoming.Complete);
    }

    [Theory]
    [InlineData("UPDATE t SET body = 'x' WHERE id = 3", "rows of \"t\"")]
    [InlineData("DELETE FROM t WHERE id = 3", "rows of \"t\"")]
    [InlineData("UPDATE polygraph_digests SET digest = zeroblob(16)", "rows of \"t\"")]
    [InlineData("UPDATE polygraph_idempotency SET idx = idx + 64", "rows of \"polygraph_idempotency\"")]
    [InlineData("DELETE FROM polygraph_idempotency", "rows of \"polygraph_idempotency\"")]
    [InlineData("UPDATE polygraph_forgotten SET age = 1", "rows of \"polygraph_forgotten\"")]
    [InlineData("DROP TABLE t", "rows of \"sqlite_schema\"")]
    [InlineData("PRAGMA user_version = 9", "rows of \"PRAGMA user_version, application_id\"")]
    [InlineData("UPDATE polygraph_position SET idx = idx + 1", "manifest says")]
    public void What_the_source_changed_behind_its_log_is_found_although_every_checksum_is_right(string edit, string expected)
    {
        Fill();
        using (var connection = SqliteConnection.Open(_pair.LeaderPath, readOnly: false))
            connection.Execute(edit);
        using var snapshot = _pair.Leader.Readers.OpenSnapshot();
        var manifest = Write(snapshot);
        if (edit.StartsWith("UPDATE polygraph_position", StringComparison.Ordinal))
            manifest = manifest with { Index = manifest.Index - 1 };

        var refused = Assert.Throws<SnapshotRefusedException>(() => SnapshotVerification.Check(
            CopyPath, manifest with { Tables = [new SnapshotTable("t", _pair.Leader.Digests["t"].ToString())] }, Cancellation));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_of_the_source_that_rotted_is_found()
    {
        var manifest = Take();
        var bytes = File.ReadAllBytes(CopyPath);
        foreach (var page in new[] { 0, bytes.Length / 4096 / 4, bytes.Length / 4096 / 2, bytes.Length / 4096 / 4 * 3 })
        {
            var rotten = bytes.ToArray();
            for (var i = 0; i < 790; i++)
                rotten[(page * 4096) + 100 + (i * 5)] ^= 0x55;
            File.WriteAllBytes(CopyPath, rotten);
            Assert.Throws<SnapshotRefusedException>(() => SnapshotVerification.Check(CopyPath, manifest, Cancellation));
        }

        File.WriteAllBytes(CopyPath, bytes);
        SnapshotVerification.Check(CopyPath, manifest, Cancellation);
    }

    public void Dispose()
    {
        _pair.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static ReadOnlySpan<byte> Chunk(byte[] bytes, SnapshotManifest manifest, int chunk)
        => bytes.AsSpan(chunk * manifest.ChunkBytes, manifest.LengthOfChunk(chunk));

    private void Fill()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)");
        _pair.Run(
            Units.Atomic("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT i, hex(zeroblob(60)) || i FROM n"),
            key: "key");
    }

    private SnapshotManifest Take()
    {
        Fill();
        using var snapshot = _pair.Leader.Readers.OpenSnapshot();
        return Write(snapshot);
    }

    private SnapshotManifest Write(Snapshot snapshot)
        => SnapshotWriter.Describe(SnapshotWriter.Copy(snapshot, CopyPath, Cancellation), Guid.CreateVersion7(), Terms, Owner, Cancellation);
}
