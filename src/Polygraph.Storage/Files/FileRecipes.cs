namespace Polygraph.Storage.Files;

/// <summary>Sequences of file operations whose order makes them safe at every moment of a crash.</summary>
public static class FileRecipes
{
    /// <summary>The ending of a file that is being written. One that is found at start belongs to nobody and may be deleted.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Whether a directory has a file of that name.</summary>
    public static bool Exists(this IFileSystem files, string path)
        => files.List(DirectoryOf(path)).Contains(Path.GetFileName(path), StringComparer.Ordinal);

    /// <summary>
    /// Makes <paramref name="path"/> hold what <paramref name="write"/> writes, or leaves it as it was: temporary file, sync, rename, sync
    /// of the directory. Durable on return.
    /// </summary>
    public static void ReplaceAtomically(this IFileSystem files, string path, Action<IStorageFile> write)
    {
        var temporary = path + TemporarySuffix;
        files.Delete(temporary);
        using (var file = files.Open(temporary, FileOpening.New))
        {
            write(file);
            file.Sync();
        }

        files.Rename(temporary, path);
        files.SyncDirectory(DirectoryOf(path));
    }

    /// <summary>Deletes a file if it is there. Durable on return.</summary>
    public static void DeleteDurably(this IFileSystem files, string path)
    {
        files.Delete(path);
        files.SyncDirectory(DirectoryOf(path));
    }

    /// <summary>The directory of a path; the current one if the path names none.</summary>
    internal static string DirectoryOf(string path)
        => Path.GetDirectoryName(path) is { Length: > 0 } directory ? directory : ".";
}
