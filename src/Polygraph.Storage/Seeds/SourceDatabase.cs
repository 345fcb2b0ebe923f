using Polygraph.Storage.Execution;
using Polygraph.Storage.Snapshots;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Seeds;

/// <summary>
/// Somebody's SQLite file, as it was at one moment, to be read while other programs go on using it. It is never written: one transaction
/// of SQLite's keeps others from changing what is read, and what is still in a write-ahead log is read as well.
/// </summary>
public sealed class SourceDatabase : IDisposable
{
    private const int WriteAheadVersion = 2;
    private const int ReadVersionOffset = 19;

    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    private readonly SqliteConnection? _connection;
    private readonly FileStream _content;
    private readonly Action _checkUnchanged;

    private SourceDatabase(SqliteConnection? connection, FileStream content, Action? checkUnchanged = null)
    {
        _connection = connection;
        _content = content;
        _checkUnchanged = checkUnchanged ?? (static () => { });
    }

    /// <summary>The bytes of a database file that holds that moment.</summary>
    public Stream Content => _content;

    public long Bytes => _content.Length;

    /// <summary>Opens the file and checks what can be checked without reading all of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="temporary">A directory with room for a copy, which a file in WAL mode needs.</param>
    /// <param name="cancellation">Stops the copy.</param>
    /// <param name="patience">How long another program may hold the file locked; 10 s if nothing is said.</param>
    /// <exception cref="SeedRefusedException">It cannot be imported.</exception>
    /// <exception cref="IOException">It cannot be read, or there is no room for the copy. So <see cref="UnauthorizedAccessException"/>.</exception>
    public static SourceDatabase Open(string path, string temporary, CancellationToken cancellation, TimeSpan? patience = null)
    {
        var isWriteAhead = IsWriteAhead(path);
        var milliseconds = (int)(patience ?? LockPatience).TotalMilliseconds;
        try
        {
            return isWriteAhead ? OpenWriteAhead(path, temporary, milliseconds, cancellation) : OpenPlain(path, milliseconds);
        }
        catch (SqliteException e) when (e.Code == SqliteCode.Busy)
        {
            throw new SeedRefusedException($"Another program holds {path} locked. Try again when it is done.", e);
        }
        catch (RefusedException e)
        {
            throw new SeedRefusedException(e.Message, e);
        }
        catch (SqliteException e) when (e.Code is SqliteCode.ReadOnly or SqliteCode.CannotOpen)
        {
            throw new SeedRefusedException(
                $"SQLite cannot read {path} without writing beside it ({e.CodeName}: {e.Message}): a program that used it ended in the middle of a transaction, "
                + "or its directory cannot be written. Open it once with the program that owns it, or copy it with its -wal and -journal files to a directory of yours.",
                e);
        }
        catch (SqliteException e)
        {
            throw new SeedRefusedException($"SQLite {SqliteLibrary.Version} cannot read {path} ({e.CodeName}: {e.Message}).", e);
        }
    }

    /// <summary>To be called when everything was read.</summary>
    /// <exception cref="SeedRefusedException">The file was changed meanwhile, although it could not be locked.</exception>
    public void CheckUnchanged() => _checkUnchanged();

    public void Dispose()
    {
        // In this order: closing any other handle of the file drops the locks that SQLite holds on it.
        _connection?.Dispose();
        _content.Dispose();
    }

    private static bool IsWriteAhead(string path)
    {
        using var file = OpenToRead(path);
        SeedCheck.CheckHeader(file);
        file.Position = ReadVersionOffset;
        return file.ReadByte() == WriteAheadVersion;
    }

    // While somebody reads, nobody writes the file of a database that has a rollback journal: its own bytes are the moment.
    private static SourceDatabase OpenPlain(string path, int busyMilliseconds)
    {
        var connection = Pin(SqliteConnection.Open(path, readOnly: true), busyMilliseconds);
        try
        {
            return new SourceDatabase(connection, OpenToRead(path));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static SourceDatabase OpenWriteAhead(string path, string temporary, int busyMilliseconds, CancellationToken cancellation)
    {
        if (TryRead(path, busyMilliseconds) is not { } connection)
            return OpenUnlocked(path);
        var copy = Path.Combine(temporary, $"polygraph-import-{Guid.NewGuid():N}.sqlite");
        try
        {
            using (connection)
            {
                SnapshotWriter.CopyPages(connection, copy, cancellation.ThrowIfCancellationRequested);
                var content = new FileStream(copy, new FileStreamOptions { Options = FileOptions.DeleteOnClose, BufferSize = 0 });
                return new SourceDatabase(null, content);
            }
        }
        catch
        {
            File.Delete(copy);
            throw;
        }
    }

    // A directory that cannot be written, and no write-ahead log: SQLite could not lock the file there, but nobody else can use it in WAL mode either
    // without making one. If somebody does, with more rights than ours, it shows.
    private static SourceDatabase OpenUnlocked(string path)
    {
        var before = new FileInfo(path);
        var (length, written) = (before.Length, before.LastWriteTimeUtc);
        var connection = Pin(SqliteConnection.OpenUnchanging(path), busyMilliseconds: 0);
        try
        {
            return new SourceDatabase(connection, OpenToRead(path), () =>
            {
                var now = new FileInfo(path);
                if (HasWriteAheadLog(path) || now.Length != length || now.LastWriteTimeUtc != written)
                    throw new SeedRefusedException($"Another program began to write {path} while it was read. Nothing was imported; try again.");
            });
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Null where SQLite may not make the files beside it that WAL mode needs, and there is nothing in them.</summary>
    private static SqliteConnection? TryRead(string path, int busyMilliseconds)
    {
        var connection = SqliteConnection.Open(path, readOnly: true);
        try
        {
            return Pin(connection, busyMilliseconds);
        }
        catch (SqliteException e) when (e.Code is SqliteCode.CannotOpen or SqliteCode.ReadOnly && !HasWriteAheadLog(path))
        {
            return null;
        }
    }

    private static bool HasWriteAheadLog(string path) => new FileInfo(path + "-wal") is { Exists: true, Length: > 0 };

    private static SqliteConnection Pin(SqliteConnection connection, int busyMilliseconds)
    {
        try
        {
            connection.Check(NativeMethods.sqlite3_busy_timeout(connection.Pointer, busyMilliseconds));
            connection.Execute("BEGIN");
            SeedCheck.CheckSchema(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static FileStream OpenToRead(string path)
        => new(path, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
}
