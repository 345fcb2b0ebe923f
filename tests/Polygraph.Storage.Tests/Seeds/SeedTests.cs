using System.Security.Cryptography;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;
using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Seeds;

/// <summary>A plain file becomes a replica at position zero, and a replica a plain file; nothing that a user can see is lost on the way.</summary>
public sealed class SeedTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-seed-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("PRAGMA page_size=512")]
    [InlineData("PRAGMA page_size=4096")]
    [InlineData("PRAGMA page_size=65536")]
    [InlineData("PRAGMA auto_vacuum=FULL")]
    [InlineData("PRAGMA journal_mode=WAL")]
    public async Task What_is_imported_and_exported_again_is_equal_to_what_it_was(string first)
    {
        var source = PlainFile.Create(In("source.db"), PlainFile.Everything, first);
        Settle(source);
        var replica = await ImportAsync(source, "one");
        using (var database = ReplicaDatabase.Open(replica, ReplicaDatabaseOptions.Default))
        {
            Assert.Equal(Position.Zero, database.Applied);
            using var snapshot = database.Readers.OpenSnapshot();
            Assert.All(snapshot.FullScan(Cancellation), scan => Assert.True(scan.IsConsistent, scan.Table));
            DatabaseExport.Write(snapshot, In("exported.db"), Cancellation);
            database.Readers.Drain(TimeSpan.Zero); // The snapshot was given back: nobody who must rewind waits for the rest.
        }

        DatabaseExport.Check(In("exported.db"));
        Assert.Equal(PlainFile.ContentOf(source), PlainFile.ContentOf(In("exported.db")));
        Assert.False(File.Exists(In("exported.db-wal")));
        Assert.False(File.Exists(In("exported.db-journal")));
        Assert.DoesNotContain("polygraph_", await File.ReadAllTextAsync(In("exported.db"), System.Text.Encoding.Latin1, Cancellation), StringComparison.Ordinal);

        // And once more, into another cluster.
        var again = await ImportAsync(In("exported.db"), "again");
        using var second = ReplicaDatabase.Open(again, ReplicaDatabaseOptions.Default);
        using var first2 = ReplicaDatabase.Open(replica, ReplicaDatabaseOptions.Default);
        Assert.Equal(first2.Digests, second.Digests);
    }

    [Fact]
    public async Task Replicas_of_one_seed_are_equal_and_go_on_together()
    {
        var source = PlainFile.Create(In("source.db"), PlainFile.Everything);
        using var leader = ReplicaDatabase.Open(await ImportAsync(source, "one"), ReplicaDatabaseOptions.Default);
        using var follower = ReplicaDatabase.Open(await ImportAsync(source, "two"), ReplicaDatabaseOptions.Default);
        Assert.Equal(leader.Seed, follower.Seed);

        leader.BeginBatch();
        var context = new EntryContext(new Position(new Term(1), new LogIndex(1)), 1, 1 << 16, null, null, 0, AckLevel.Quorum, "test");
        var done = leader.Execute(Units.Atomic("DELETE FROM parent WHERE id = 1", "INSERT INTO parent(name) VALUES ('four')", "INSERT INTO search VALUES ('new', 'found')"), context);
        Assert.Null(done.Result.FirstError);
        leader.CommitBatch();
        follower.Apply([done.Entry!]);

        Assert.Equal(leader.Digests, follower.Digests);
        foreach (var replica in (ReplicaDatabase[])[leader, follower])
        {
            Assert.Equal("Integer:4", ReplicaPair.Query(replica, "SELECT max(id) FROM parent").Single());
            Assert.Equal("Text:gone 1", ReplicaPair.Query(replica, "SELECT what FROM log").Single());
            Assert.Equal("Integer:1", ReplicaPair.Query(replica, "SELECT count(*) FROM search WHERE search MATCH 'found' AND title = 'new'").Single());
        }
    }

    [Theory]
    [InlineData("CREATE TABLE polygraph_mine(x)", "reserved")]
    [InlineData("CREATE TABLE t(rowid TEXT, _rowid_ TEXT, oid TEXT)", "cannot be told apart")]
    [InlineData("CREATE VIRTUAL TABLE v USING dbstat", "cannot be replicated")]
    public async Task A_file_that_cannot_be_replicated_is_refused_with_the_reason(string sql, string reason)
    {
        var file = PlainFile.Create(In("refused.db"), [sql]);

        Assert.Contains(reason, (await Assert.ThrowsAsync<SeedRefusedException>(() => SeedCheck.ExamineAsync(file, Cancellation))).Message, StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Throws<SeedRefusedException>(() => SourceDatabase.Open(file, _directory, Cancellation)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_are_none_of_ours_are_refused_with_the_reason()
    {
        await File.WriteAllBytesAsync(In("empty.db"), [], Cancellation);
        await File.WriteAllBytesAsync(In("random.db"), RandomNumberGenerator.GetBytes(8192), Cancellation);
        PlainFile.Create(In("utf16.db"), ["CREATE TABLE t(x)"], "PRAGMA encoding='UTF-16le'");
        var replica = await ImportAsync(PlainFile.Create(In("plain.db"), ["CREATE TABLE t(x)"]), "one");
        PlainFile.Create(In("large.db"), ["CREATE TABLE t(x)"]);
        WriteLargeRow(In("large.db"));

        foreach (var (file, reason) in ((string, string)[])
            [(In("empty.db"), "It is empty"), (In("random.db"), "encrypted"), (In("utf16.db"), "UTF-16le"), (replica, "db export"), (In("large.db"), "more than 16 MiB")])
        {
            var refused = await Assert.ThrowsAsync<SeedRefusedException>(() => SeedCheck.ExamineAsync(file, Cancellation));
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_damaged_file_is_refused_wherever_the_damage_is()
    {
        var file = PlainFile.Create(
            In("damaged.db"), ["CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT)", "CREATE INDEX t_x ON t(x)", Fill(2000)]);
        var whole = await File.ReadAllBytesAsync(file, Cancellation);
        for (var page = 1; page < whole.Length / 4096; page += 7)
        {
            var damaged = whole.ToArray();
            damaged.AsSpan(page * 4096, 64).Fill(0xA5);
            await File.WriteAllBytesAsync(file, damaged, Cancellation);
            await Assert.ThrowsAsync<SeedRefusedException>(() => SeedCheck.ExamineAsync(file, Cancellation));
        }

        await File.WriteAllBytesAsync(file, whole[..(whole.Length / 2)], Cancellation);
        await Assert.ThrowsAsync<SeedRefusedException>(() => SeedCheck.ExamineAsync(file, Cancellation));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Fill(int rows)
        => $"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) INSERT INTO t SELECT i, hex(i) || 'some text to fill pages with' FROM n";

    /// <summary>What SQLite elsewhere allows: a row beyond the limit of our own connections, written in pieces of pages by hand.</summary>
    private static void WriteLargeRow(string path)
    {
        using var connection = SqliteConnection.Open(path, readOnly: false);
        _ = NativeMethods.sqlite3_limit(connection.Pointer, 0, 64 << 20);
        connection.Execute("INSERT INTO t VALUES (zeroblob(20000000))");
    }

    private async Task<string> ImportAsync(string source, string name)
    {
        var path = In(name + ".sqlite");
        File.Copy(source, path);
        var seed = new Seed(Guid.Parse("0193c0de-0000-7000-8000-000000000001"), new FileInfo(path).Length, "", await SeedCheck.ExamineAsync(path, Cancellation));
        SeedPreparation.Prepare(path, seed);
        Assert.False(File.Exists(path + "-wal"));
        return path;
    }

    // What a program in WAL mode leaves when it ends well.
    private static void Settle(string path)
    {
        using (var connection = SqliteConnection.Open(path, readOnly: false))
            connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
    }

    private string In(string name) => Path.Combine(_directory, name);
}
