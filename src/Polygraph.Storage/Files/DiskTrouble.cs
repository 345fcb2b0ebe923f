using Polygraph.Storage.Log;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Files;

/// <summary>The disk, and nothing else, kept a replica from going on: it may go on by itself once the disk does.</summary>
/// <param name="IsFull">There is no room.</param>
/// <param name="Reason">What happened and what to do, for people.</param>
public sealed record DiskTrouble(bool IsFull, string Reason)
{
    private const int NoSpaceLinux = 28; // ENOSPC
    private const int QuotaLinux = 122; // EDQUOT
    private const int QuotaMac = 69;
    private const int NoSpaceWindows = 112; // ERROR_DISK_FULL

    /// <summary>What a failure says about the disk; null if it is of another kind.</summary>
    public static DiskTrouble? Of(Exception failure)
        => failure switch
        {
            LogFailedException { InnerException: { } cause } => Of(cause),
            SqliteException { Code: SqliteCode.Full } => Full(failure),
            SqliteException { Code: SqliteCode.InputOutput or SqliteCode.CannotOpen or SqliteCode.ReadOnly } => Broken(failure),
            IOException when (failure.HResult & 0xffff) is NoSpaceLinux or QuotaLinux or QuotaMac or NoSpaceWindows => Full(failure),
            IOException or UnauthorizedAccessException => Broken(failure),
            _ => null,
        };

    /// <summary>
    /// Whether the disk failed or is full while a file was written or read. An <see cref="IOException"/> need not be the disk's where something else than a
    /// file is read too: the caller knows.
    /// </summary>
    public static bool IsOfTheDisk(Exception failure)
        => failure is SqliteException { Code: SqliteCode.Full or SqliteCode.InputOutput or SqliteCode.CannotOpen } or IOException;

    private static DiskTrouble Full(Exception failure)
        => new(true, $"The disk is full ({failure.Message.TrimEnd('.')}). This replica acknowledges nothing; it goes on by itself as soon as there is room. Free some space.");

    private static DiskTrouble Broken(Exception failure)
        => new(
            false,
            $"The disk failed ({failure.Message.TrimEnd('.')}). This replica acknowledges nothing; it reads its files anew and goes on by itself if they are good. "
            + "If this does not end, look at the disk's health and permissions.");
}

/// <summary>Asks a disk for room before a replica is opened again that had none.</summary>
public static class DiskProbe
{
    /// <summary>What a replica needs at once: a fill-ahead step of the log, and as much for SQLite's write-ahead log.</summary>
    private const int Bytes = 8 * 1024 * 1024;

    private const string Name = "probe" + FileRecipes.TemporarySuffix;

    /// <summary>Writes, syncs and removes a file.</summary>
    /// <exception cref="IOException">There is still no room, or the disk still fails.</exception>
    public static void Run(IFileSystem files, string directory)
    {
        var path = Path.Combine(directory, Name);
        files.Delete(path);
        try
        {
            using var file = files.Open(path, FileOpening.New);
            var zeros = new byte[1024 * 1024];
            for (var at = 0; at < Bytes; at += zeros.Length)
                file.Write(zeros, at);
            file.Sync();
        }
        finally
        {
            files.Delete(path);
        }
    }
}
