namespace Polygraph.Storage.Files;

/// <summary>How a file is opened.</summary>
public enum FileOpening
{
    /// <summary>For reading; it must exist. Others may write it meanwhile.</summary>
    ReadOnly,

    /// <summary>For reading and writing; it must exist.</summary>
    Existing,

    /// <summary>For reading and writing; it must not exist.</summary>
    New,
}

/// <summary>
/// The files as the log and the checkpoints see them: what is written stays only once it was synced, and a name stays only once its
/// directory was synced. Tests put a file system under it that loses everything else.
/// </summary>
/// <remarks>Failures of the environment are <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</remarks>
public interface IFileSystem
{
    /// <summary>Opens a file. A new one is not durable before it and its directory were synced.</summary>
    IStorageFile Open(string path, FileOpening opening);

    /// <summary>The names (not paths) of the files in a directory, in ordinal order; none if the directory does not exist.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Creates a directory and its parents, durably; does nothing if it exists.</summary>
    void CreateDirectory(string directory);

    /// <summary>Gives a file another name in the same directory, taking the place of a file that has it. Atomic, durable after a sync of the directory.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file's name; does nothing if there is none. Durable after a sync of the directory.</summary>
    void Delete(string path);

    /// <summary>Makes the names in a directory durable.</summary>
    void SyncDirectory(string directory);
}

/// <summary>An open file. Reads may come from any thread; writes, cuts and syncs from one at a time.</summary>
public interface IStorageFile : IDisposable
{
    long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/> on; less only at the end of the file.</summary>
    /// <returns>The bytes read.</returns>
    int Read(Span<byte> destination, long offset);

    /// <summary>Writes all of <paramref name="source"/>, growing the file if need be. Not durable before <see cref="Sync"/>.</summary>
    void Write(ReadOnlySpan<byte> source, long offset);

    /// <summary>Cuts the file, or lets it grow with zeros. Not durable before <see cref="Sync"/>.</summary>
    void SetLength(long length);

    /// <summary>
    /// Makes content and length durable (<c>fdatasync</c>). If it fails, what was written since the last success may be lost even though a
    /// later sync succeeds: the caller must stop using the file.
    /// </summary>
    void Sync();
}
