using Polygraph.Storage.Seeds;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Tests.Seeds;

/// <summary>Somebody's file is read as it was at one moment, and never written, whatever another program does with it meanwhile.</summary>
public sealed class SourceDatabaseTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-source-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string FilePath => Path.Combine(_directory, "app.db");

    [Theory]
    [InlineData("DELETE")]
    [InlineData("WAL")]
    public void A_file_in_use_is_read_as_it_was_when_it_was_opened(string mode)
    {
        PlainFile.Create(FilePath, ["CREATE TABLE t(x)"], $"PRAGMA journal_mode={mode}");
        using var other = SqliteConnection.Open(FilePath, readOnly: false);
        other.Execute("INSERT INTO t VALUES ('before')"); // In WAL mode it is in the write-ahead log only.

        using (var source = SourceDatabase.Open(FilePath, _directory, Cancellation))
        {
            if (mode == "WAL")
                other.Execute("INSERT INTO t VALUES ('meanwhile')");
            else
                Assert.Equal(SqliteCode.Busy, Assert.Throws<SqliteException>(() => other.Execute("INSERT INTO t VALUES ('meanwhile')")).Code);
            Save(source);
        }

        other.Execute("INSERT INTO t VALUES ('after')");
        Assert.Equal(["before"], Rows(Path.Combine(_directory, "copy")));
        Assert.Empty(Directory.GetFiles(_directory, "polygraph-import-*"));
    }

    [Theory]
    [InlineData("DELETE")]
    [InlineData("WAL")]
    public void The_file_itself_is_not_changed(string mode)
    {
        PlainFile.Create(FilePath, ["CREATE TABLE t(x)", "INSERT INTO t VALUES (1)"], $"PRAGMA journal_mode={mode}");
        var before = Everything();

        using (var source = SourceDatabase.Open(FilePath, Path.GetTempPath(), Cancellation))
            Save(source);

        File.Delete(Path.Combine(_directory, "copy"));
        Assert.Equal(before, Everything());
    }

    [Fact]
    public void A_transaction_that_a_crash_interrupted_is_not_guessed_at()
    {
        PlainFile.Create(FilePath, ["CREATE TABLE t(x)", "INSERT INTO t VALUES (zeroblob(100000))"]);
        var crashed = Path.Combine(_directory, "crashed.db");
        using (var writer = SqliteConnection.Open(FilePath, readOnly: false))
        {
            writer.Execute("PRAGMA cache_size=1");
            writer.Execute("BEGIN");
            writer.Execute("UPDATE t SET x = randomblob(100000)");
            File.Copy(FilePath, crashed);
            File.Copy(FilePath + "-journal", crashed + "-journal");
            writer.Execute("ROLLBACK");
        }

        var refused = Assert.Throws<SeedRefusedException>(() => SourceDatabase.Open(crashed, _directory, Cancellation));
        Assert.Contains("ended in the middle of a transaction", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(crashed + "-journal"));
    }

    [Fact]
    public void A_file_that_somebody_is_writing_for_long_is_refused_as_locked()
    {
        PlainFile.Create(FilePath, ["CREATE TABLE t(x)"]);
        using var other = SqliteConnection.Open(FilePath, readOnly: false);
        other.Execute("BEGIN EXCLUSIVE");
        Assert.Contains(
            "locked", Assert.Throws<SeedRefusedException>(() => SourceDatabase.Open(FilePath, _directory, Cancellation, TimeSpan.Zero)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void Save(SourceDatabase source)
    {
        using var copy = File.Create(Path.Combine(_directory, "copy"));
        source.Content.CopyTo(copy);
        Assert.Equal(source.Bytes, copy.Length);
    }

    private static List<string> Rows(string path)
    {
        using var connection = SqliteConnection.OpenUnchanging(path);
        using var statement = connection.Prepare("SELECT x FROM t");
        var rows = new List<string>();
        while (statement.Step())
            rows.Add(statement.ColumnText(0));
        return rows;
    }

    private string Everything()
        => string.Join('\n', Directory.GetFiles(_directory).Where(file => !file.EndsWith("-shm", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(file)} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}"));
}
