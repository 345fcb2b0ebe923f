using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Seeds;

/// <summary>Whether a SQLite file can become a replicated database, and what is in it.</summary>
public static class SeedCheck
{
    /// <summary>Threads that read rows; more would only wait for the disk.</summary>
    private const int ScannersMax = 4;

    /// <summary>The first bytes of every SQLite file.</summary>
    internal static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8;

    /// <summary>
    /// Reads a file that nobody changes from end to end, twice at the same time: SQLite's own check of its structure, and every row for its
    /// digest, by as many threads as there are processors for it.
    /// </summary>
    /// <exception cref="SeedRefusedException">It cannot be imported.</exception>
    public static async Task<IReadOnlyList<SeedTable>> ExamineAsync(string path, CancellationToken cancellation)
    {
        CheckHeader(path);
        var catalog = Reading(path, cancellation, CheckSchema);
        var structure = Task.Run(() => Reading(path, cancellation, CheckStructure), cancellation);
        var parts = Math.Clamp(Environment.ProcessorCount, 1, ScannersMax);
        var rows = Enumerable.Range(0, parts)
            .Select(part => Task.Run(() => Reading(path, cancellation, connection => ScanTables(connection, catalog, part, parts, cancellation)), cancellation))
            .ToList();
        await Task.WhenAll([structure, .. rows]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // A malformed file makes both fail; the check of the structure knows better why.
        await structure.ConfigureAwait(false);
        var scanned = await Task.WhenAll(rows).ConfigureAwait(false);
        return [.. catalog.Tables.Select((table, i) => new SeedTable(
            table.Name,
            scanned.Sum(part => part[i].Rows),
            scanned.Aggregate(Digest128.Empty, (sum, part) => sum + part[i].Digest.Value).ToString()))];
    }

    /// <summary>What can be said without reading the rows.</summary>
    /// <exception cref="SeedRefusedException">It cannot be imported.</exception>
    internal static SchemaCatalog CheckSchema(SqliteConnection connection)
    {
        if (Text(connection, "PRAGMA encoding") is not "UTF-8" and var encoding)
            throw new SeedRefusedException(
                $"Its texts are kept in {encoding}; Polygraph replicates UTF-8. Convert it: sqlite3 OLD .dump | sqlite3 NEW   (new files are UTF-8).");
        using var objects = connection.Prepare("SELECT type, name, coalesce(sql, '') FROM main.sqlite_master");
        while (objects.Step())
        {
            var (type, name, sql) = (objects.ColumnText(0), objects.ColumnText(1), objects.ColumnText(2));
            if (name == "polygraph_position")
                throw new SeedRefusedException(
                    "It is the file of a Polygraph replica. Export the database instead, and import that: polygraph db export NAME FILE.");
            if (SqlName.IsOwn(name))
                throw new SeedRefusedException($"Its {type} \"{name}\" has a name that begins with {SqlName.OwnPrefix}, which is reserved. Rename it.");
            if (type == "table" && VirtualTable.TryRead(name, sql) is { } table && !VirtualTable.IsKnownModule(table.Module))
                throw new SeedRefusedException(
                    $"\"{name}\" is a virtual table of the module \"{table.Module}\", which cannot be replicated. Those that can: {string.Join(", ", VirtualTable.Modules)}. "
                    + "Drop it in a copy, and import that.");
        }

        return new SchemaReader(connection).Read(SchemaCatalog.Empty);
    }

    private static void CheckHeader(string path)
    {
        using var file = File.Open(path, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete });
        CheckHeader(file);
    }

    internal static void CheckHeader(Stream file)
    {
        var header = new byte[Magic.Length];
        var read = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read == 0)
            throw new SeedRefusedException("It is empty. For a database without tables: polygraph db create NAME.");
        if (read < header.Length || !Magic.SequenceEqual(header))
            throw new SeedRefusedException("It is no SQLite database, or an encrypted one: it does not begin as SQLite files do.");
    }

    private static T Reading<T>(string path, CancellationToken cancellation, Func<SqliteConnection, T> read)
    {
        try
        {
            using var connection = SqliteConnection.OpenUnchanging(path);
            using var registration = cancellation.Register(() => connection.Interrupt());
            return read(connection);
        }
        catch (SqliteException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (SqliteException e) when (e.Code == SqliteCode.TooBig)
        {
            throw new SeedRefusedException($"It has a row of more than {SqliteConnection.RowBytesMax >> 20} MiB, which is more than Polygraph replicates.", e);
        }
        catch (SqliteException e)
        {
            throw new SeedRefusedException($"SQLite {SqliteLibrary.Version} cannot read it ({e.CodeName}: {e.Message}).", e);
        }
        catch (RefusedException e)
        {
            throw new SeedRefusedException(e.Message, e);
        }
    }

    private static bool CheckStructure(SqliteConnection connection)
    {
        if (Text(connection, "PRAGMA quick_check(1)") is not "ok" and var finding)
            throw new SeedRefusedException($"It is damaged: {finding.ReplaceLineEndings(" ")}. Repair it first: sqlite3 FILE .recover | sqlite3 NEW.");
        return true;
    }

    private static List<(Digest128 Digest, long Rows)> ScanTables(
        SqliteConnection connection, SchemaCatalog catalog, int part, int parts, CancellationToken cancellation)
        => [.. catalog.Tables.Select(table => TableScanner.ScanPart(connection, table, part, parts, cancellation))];

    private static string Text(SqliteConnection connection, string sql)
    {
        using var statement = connection.Prepare(sql);
        return statement.Step() ? statement.ColumnText(0) : "";
    }
}
