using System.Text;
using Polygraph.Protocol;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Tests.Checkpoints;

/// <summary>Real SQLite on a real disk. The database holds one number on many pages: any state is a number, or it is broken.</summary>
public sealed class CheckpointTests : IDisposable
{
    private const int Rows = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private readonly string _root = Directory.CreateTempSubdirectory("polygraph-checkpoint-").FullName;
    private readonly string _home;
    private readonly string _path;
    private readonly SnapshottingFileSystem _files;
    private SqliteConnection _connection;
    private ulong _held;

    public CheckpointTests()
    {
        _home = Path.Combine(_root, "home");
        Directory.CreateDirectory(_home);
        _path = Path.Combine(_home, "database.sqlite");
        _files = new(_home, Path.Combine(_root, "crashed"));
        _connection = OpenWriter(_path);
        _connection.Execute("CREATE TABLE state(id INTEGER PRIMARY KEY, number INTEGER, filler BLOB)");
        for (var row = 0; row < Rows; row++)
            _connection.Execute("INSERT INTO state(number, filler) VALUES(0, zeroblob(3000))");
    }

    public void Dispose()
    {
        _connection.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void A_complete_checkpoint_leaves_everything_in_the_file_and_no_marker()
    {
        Write(1);

        Assert.Equal(CheckpointOutcome.Complete, Checkpoint());

        Assert.Equal(["database.sqlite", "database.sqlite-seal", "database.sqlite-shm", "database.sqlite-wal"], _files.List(_home));
        Assert.Equal(CheckpointOutcome.NothingToDo, Checkpoint());
        Write(2); // Not durable as far as SQLite goes: only the log has it.
        Assert.Equal(1, NumberAfterRecovery(Copy()));
    }

    [Fact]
    public void A_killed_process_at_every_step_of_a_checkpoint_leaves_the_old_checkpoint_or_the_new_one()
    {
        Write(1);
        Checkpoint();
        Write(2);
        _files.Taken.Clear();
        var before = Copy();

        Checkpoint(beside: _files.Take);
        _files.Take();

        var marked = _files.Taken.Where(copy => File.Exists(Path.Combine(copy, "database.sqlite-checkpoint"))).ToArray();
        Assert.NotEmpty(marked);
        Assert.True(_files.Taken.Count > marked.Length + 2);
        var first = _files.Taken.IndexOf(marked[0]);
        foreach (var (index, copy) in _files.Taken.ToArray().Index())
            Assert.Equal(index >= first ? 2 : 1, NumberAfterEveryCrashOfRecovery(copy));
        Assert.Equal(1, NumberAfterEveryCrashOfRecovery(before));

        // A seal is never there together with a file that it may not be of.
        Assert.DoesNotContain(marked, copy => File.Exists(Path.Combine(copy, "database.sqlite-seal")));
        Assert.Equal(1UL, DatabaseSeal.Read(_files, Path.Combine(before, "database.sqlite"))!.Value.Position.Index.Value);
        Assert.Equal(2UL, DatabaseSeal.Read(_files, _path)!.Value.Position.Index.Value);
        Assert.True(DatabaseSeal.Read(_files, _path)!.Value.Fits(_files, _path));
    }

    [Fact]
    public void A_checkpoint_torn_anywhere_inside_SQLite_is_finished()
    {
        Write(1);
        Checkpoint();
        var old = File.ReadAllBytes(_path);
        Write(2);
        string? marked = null;
        Checkpoint(beside: () => marked ??= Copy());
        var finished = File.ReadAllBytes(_path);
        Assert.Equal(old.Length, finished.Length);

        for (var seed = 0; seed < 10; seed++)
        {
            var copy = Path.Combine(_root, $"torn-{seed}");
            SnapshottingFileSystem.CopyTo(marked!, copy);
            File.WriteAllBytes(Path.Combine(copy, "database.sqlite"), MixPages(old, finished, new Random(seed)));

            Assert.Equal(2, NumberAfterEveryCrashOfRecovery(copy));
        }
    }

    [Fact]
    public void What_was_committed_after_an_unfinished_checkpoint_is_not_in_the_file_after_recovery()
    {
        Write(1);
        Checkpoint();
        using var reader = SqliteConnection.Open(_path, readOnly: true);
        reader.Execute("BEGIN");
        reader.Execute("SELECT number FROM state");
        Write(2);

        Assert.Equal(CheckpointOutcome.Incomplete, Checkpoint());
        Write(3);
        Assert.Equal(2, NumberAfterEveryCrashOfRecovery(Copy()));

        reader.Execute("COMMIT");
        Assert.Equal(CheckpointOutcome.Complete, Checkpoint());
        Assert.Equal(3, NumberAfterRecovery(Copy()));
    }

    [Fact]
    public void A_reader_of_the_newest_snapshot_does_not_hold_a_checkpoint_up()
    {
        Write(1);
        using var reader = SqliteConnection.Open(_path, readOnly: true);
        reader.Execute("BEGIN");
        reader.Execute("SELECT number FROM state");

        Assert.Equal(CheckpointOutcome.Complete, Checkpoint());
        Write(2);
        Assert.Equal(1, NumberAfterRecovery(Copy()));
    }

    [Theory]
    [InlineData(2, 5, 4, false)] // Not yet durable and committed.
    [InlineData(2, 5, 5, true)]
    [InlineData(2, 5, 9, true)]
    [InlineData(1, 5, 9, false)] // Something else is committed at its place: a former leader that must be rewound first.
    [InlineData(0, 0, 0, true)] // Nothing was executed yet.
    public void Only_what_nothing_can_take_back_may_be_checkpointed(ulong term, ulong index, ulong settled, bool allowed)
    {
        var terms = TermHistory.FromStarts([new(new Term(1), new LogIndex(1)), new(new Term(2), new LogIndex(4))]);

        Assert.Equal(allowed, Checkpointer.IsSettled(new(new Term(term), new LogIndex(index)), new LogIndex(settled), terms));
    }

    [Fact]
    public void A_replicas_database_that_holds_more_than_is_settled_refuses_its_checkpoint()
    {
        var path = Path.Combine(_root, "replica.sqlite");
        using var database = ReplicaDatabase.Open(path, ReplicaDatabaseOptions.Default);
        var checkpointer = new Checkpointer(DiskFileSystem.Instance, path);

        Assert.Equal(CheckpointOutcome.Complete, checkpointer.Run(database, LogIndex.Zero, TermHistory.Empty, Patience));
        database.Apply([Log.LogFixture.NoOp(1, 1)]);
        Assert.Throws<InvariantViolationException>(() => checkpointer.Run(database, LogIndex.Zero, TermHistory.Empty, Patience));
        Assert.False(File.Exists(path + "-checkpoint"));

        var terms = TermHistory.Empty.Append(new(new Term(1), new LogIndex(1)));
        Assert.Equal(CheckpointOutcome.Complete, checkpointer.Run(database, new LogIndex(1), terms, Patience));
        Assert.Equal(CheckpointOutcome.NothingToDo, checkpointer.Run(database, new LogIndex(1), terms, Patience));
    }

    [Fact]
    public void Recovery_is_also_the_way_back_for_a_former_leader()
    {
        Write(1);
        Checkpoint();
        Write(2);
        Write(3);
        _connection.Dispose();

        DatabaseRecovery.Prepare(DiskFileSystem.Instance, _path);

        _connection = OpenWriter(_path);
        Assert.Equal(1, Number(_connection));
    }

    [Theory]
    [InlineData("database.sqlite-checkpoint")]
    [InlineData("database.sqlite-wal")]
    public void A_damaged_marker_or_log_of_an_unfinished_checkpoint_is_refused_and_left_alone(string name)
    {
        Write(1);
        string? marked = null;
        Checkpoint(beside: () => marked ??= Copy());
        var size = new FileInfo(Path.Combine(marked!, name)).Length;
        var random = new Random(1);
        for (var round = 0; round < 60; round++)
        {
            var copy = Path.Combine(_root, $"damaged-{round}");
            SnapshottingFileSystem.CopyTo(marked!, copy);
            var path = Path.Combine(copy, name);
            var bytes = File.ReadAllBytes(path);
            bytes[random.NextInt64(size)] ^= 0x20;
            File.WriteAllBytes(path, bytes);

            Assert.Throws<DatabaseDamagedException>(() => DatabaseRecovery.Prepare(DiskFileSystem.Instance, Path.Combine(copy, "database.sqlite")));
            Assert.Equal(bytes, File.ReadAllBytes(path));
        }

        var without = Path.Combine(_root, "without-log");
        SnapshottingFileSystem.CopyTo(marked!, without);
        File.Delete(Path.Combine(without, "database.sqlite-wal"));
        Assert.Throws<DatabaseDamagedException>(() => DatabaseRecovery.Prepare(DiskFileSystem.Instance, Path.Combine(without, "database.sqlite")));
    }

    [Fact]
    public void A_seal_fits_the_file_that_it_was_made_for_and_no_other()
    {
        Write(1);
        Checkpoint();
        var seal = DatabaseSeal.Read(_files, _path)!.Value;
        Assert.Equal((new Position(new Term(1), new LogIndex(1)), true), (seal.Position, seal.Fits(_files, _path)));
        var modified = File.GetLastWriteTimeUtc(_path);

        File.Copy(_path, _path + "-copy");
        File.SetLastWriteTimeUtc(_path + "-copy", modified);
        File.Move(_path + "-copy", _path, overwrite: true);
        Assert.False(seal.Fits(_files, _path), "another file with the same content, length and time");

        DatabaseSeal.Write(_files, _path, seal.Position);
        seal = DatabaseSeal.Read(_files, _path)!.Value;
        Assert.True(seal.Fits(_files, _path));
        File.WriteAllText(_path + "-checkpoint", "");
        Assert.False(seal.Fits(_files, _path), "a checkpoint has begun");
        File.Delete(_path + "-checkpoint");
        Assert.True(seal.Fits(_files, _path));
        File.Delete(_path);
        Assert.False(seal.Fits(_files, _path), "no file");
    }

    [Fact]
    public void A_seal_that_cannot_be_read_is_none()
    {
        Write(1);
        Checkpoint();
        var path = DatabaseSeal.PathFor(_path);
        var whole = File.ReadAllBytes(path);
        for (var at = 0; at < whole.Length; at++)
        {
            var bytes = whole.ToArray();
            bytes[at] ^= 0x20;
            File.WriteAllBytes(path, bytes);
            Assert.Null(DatabaseSeal.Read(_files, _path));
        }

        foreach (var length in new[] { 0, whole.Length - 1, whole.Length + 1 })
        {
            var bytes = new byte[length];
            whole.AsSpan(0, Math.Min(length, whole.Length)).CopyTo(bytes);
            File.WriteAllBytes(path, bytes);
            Assert.Null(DatabaseSeal.Read(_files, _path));
        }

        File.WriteAllBytes(path, whole);
        Assert.NotNull(DatabaseSeal.Read(_files, _path));
    }

    [Fact]
    public void A_database_that_is_not_there_is_left_so()
    {
        DatabaseRecovery.Prepare(DiskFileSystem.Instance, Path.Combine(_root, "nothing.sqlite"));

        Assert.Empty(Directory.GetFiles(_root));
    }

    private void Write(ulong number)
    {
        _connection.Execute($"UPDATE state SET number = {number}");
        _held = number;
    }

    /// <summary>A checkpoint; <paramref name="beside"/> runs right before and right after SQLite's own part.</summary>
    private CheckpointOutcome Checkpoint(Action? beside = null)
    {
        var position = new Position(new Term(1), new LogIndex(_held));
        var frames = (new FileInfo(_path + "-wal").Length - 32) / (24 + 4096);
        return new Checkpointer(_files, _path).Run(
            new Observed(new SqliteWalCheckpoint(_connection), beside ?? (() => { })), frames, position, Patience);
    }

    private string Copy()
    {
        var copy = Path.Combine(_root, $"copy-{Directory.GetDirectories(_root).Length}");
        SnapshottingFileSystem.CopyTo(_home, copy);
        return copy;
    }

    /// <summary>Recovers a crashed directory, crashing again before each change that recovery makes, and expects the same from all.</summary>
    private long NumberAfterEveryCrashOfRecovery(string crashed)
    {
        var working = Path.Combine(_root, "recovering-" + Path.GetFileName(crashed));
        SnapshottingFileSystem.CopyTo(crashed, working);
        var files = new SnapshottingFileSystem(working, Path.Combine(_root, "crashed-again"));
        var path = Path.Combine(working, "database.sqlite");
        DatabaseRecovery.Prepare(files, path);
        var number = NumberAfterRecovery(working);
        Assert.NotEmpty(files.Taken);
        foreach (var copy in files.Taken)
            Assert.Equal(number, NumberAfterRecovery(copy));
        return number;
    }

    private static long NumberAfterRecovery(string directory)
    {
        var path = Path.Combine(directory, "database.sqlite");
        DatabaseRecovery.Prepare(DiskFileSystem.Instance, path);
        Assert.Equal([path], Directory.GetFiles(directory).Where(file => file != DatabaseSeal.PathFor(path)));
        using var connection = OpenWriter(path);
        return Number(connection);
    }

    /// <summary>The one number that all rows hold, of a database that is whole.</summary>
    private static long Number(SqliteConnection connection)
    {
        Assert.Equal("ok", Text(connection, "PRAGMA integrity_check"));
        Assert.Equal("1 60", Text(connection, "SELECT count(DISTINCT number) || ' ' || count(*) FROM state"));
        return long.Parse(Text(connection, "SELECT CAST(max(number) AS TEXT) FROM state"), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Text(SqliteConnection connection, string sql)
    {
        using var statement = connection.Prepare(sql);
        Assert.True(statement.Step());
        return Encoding.UTF8.GetString(statement.ColumnBytes(0));
    }

    private static SqliteConnection OpenWriter(string path)
    {
        var connection = SqliteConnection.Open(path, readOnly: false);
        connection.Execute("PRAGMA journal_mode=WAL");
        connection.Execute("PRAGMA synchronous=NORMAL");
        return connection;
    }

    private static byte[] MixPages(byte[] first, byte[] second, Random random)
    {
        var mixed = first.ToArray();
        for (var page = 0; page < mixed.Length; page += 4096)
        {
            if (random.Next(2) == 0)
                second.AsSpan(page, 4096).CopyTo(mixed.AsSpan(page));
        }

        return mixed;
    }

    private sealed class Observed(IWalCheckpoint sqlite, Action beside) : IWalCheckpoint
    {
        public WalCheckpointResult Run(TimeSpan patience)
        {
            beside();
            var result = sqlite.Run(patience);
            beside();
            return result;
        }
    }
}
