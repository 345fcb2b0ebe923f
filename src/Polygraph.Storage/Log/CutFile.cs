using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>
/// Entries that were taken out of a log because the group's history went on without them, kept so that nothing acknowledged disappears.
/// A segment file like the log's own, closed, with the reason in its header.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="First">The first entry's index.</param>
/// <param name="Last">The last entry.</param>
public sealed record CutFile(string Path, LogIndex First, Position Last)
{
    /// <summary>The directory, in the log's own, where such files are.</summary>
    public const string DirectoryName = "cut";

    private const string Suffix = ".cut";

    /// <summary>The files of a log, oldest entries first.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="logDirectory">The log's directory (not that of the cut files).</param>
    public static IReadOnlyList<CutFile> List(IFileSystem files, string logDirectory)
    {
        var directory = System.IO.Path.Combine(logDirectory, DirectoryName);
        return [.. files.List(directory).Select(name => FromName(directory, name)).OfType<CutFile>()];
    }

    /// <inheritdoc cref="List(IFileSystem, string)"/>
    public static IReadOnlyList<CutFile> List(string logDirectory) => List(DiskFileSystem.Instance, logDirectory);

    /// <summary>What a file holds, checked.</summary>
    /// <exception cref="LogCorruptedException">The file is damaged or not complete.</exception>
    public static CutEntries Read(IFileSystem files, string path)
    {
        using var file = files.Open(path, FileOpening.ReadOnly);
        var entries = new List<LogEntry>();
        var contents = SegmentScan.Run(file, path, (record, position) => entries.Add(new LogEntry(position, record.ToArray())));
        return contents.Sealed
            ? new(contents.Header.Group, contents.Header.Note, entries)
            : throw new LogCorruptedException(path, contents.End, contents.Last, "the file has no end.");
    }

    /// <inheritdoc cref="Read(IFileSystem, string)"/>
    public static CutEntries Read(string path) => Read(DiskFileSystem.Instance, path);

    /// <summary>Saves entries. Durable on return. Does nothing if they were saved before: the same last position is the same entries.</summary>
    internal static void Save(
        IFileSystem files, string logDirectory, SegmentHeader header, Position last, Func<LogIndex, IReadOnlyList<LogEntry>> readFrom)
    {
        var directory = System.IO.Path.Combine(logDirectory, DirectoryName);
        files.CreateDirectory(directory);
        var path = System.IO.Path.Combine(directory, Name(header.First, last));
        if (!files.Exists(path))
            files.ReplaceAtomically(path, file => Write(file, header, last, readFrom));
    }

    private static void Write(IStorageFile file, SegmentHeader header, Position last, Func<LogIndex, IReadOnlyList<LogEntry>> readFrom)
    {
        var headerBytes = header.Encode();
        file.Write(headerBytes, 0);
        long offset = headerBytes.Length;
        var buffer = new FrameBuffer();
        for (var index = header.First; index <= last.Index;)
        {
            var entries = readFrom(index);
            Invariant.Holds(entries.Count > 0, "entries that are to be cut are still in the log");
            foreach (var entry in entries)
                buffer.Add(entry.Record.Span, offset + buffer.Length, offset + buffer.Length - headerBytes.Length);
            file.Write(buffer.Frames, offset);
            offset += buffer.Length;
            buffer.Clear();
            index = entries[^1].Position.Index.Next;
        }

        file.Write(SegmentFormat.Seal(last, offset - headerBytes.Length), offset);
    }

    private static string Name(LogIndex first, Position last)
        => string.Create(CultureInfo.InvariantCulture, $"{first.Value:x16}-{last.Index.Value:x16}-{last.Term.Value:x16}{Suffix}");

    private static CutFile? FromName(string directory, string name)
    {
        var parts = name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length].Split('-') : [];
        return parts.Length == 3 && Number(parts[0]) is { } first && Number(parts[1]) is { } last && Number(parts[2]) is { } term
            ? new(System.IO.Path.Combine(directory, name), new LogIndex(first), new Position(new Term(term), new LogIndex(last)))
            : null;
    }

    private static ulong? Number(string text)
        => ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;
}

/// <summary>What a file of cut entries holds.</summary>
/// <param name="Group">The group they were cut from.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Entries">The entries, in order.</param>
public sealed record CutEntries(GroupId Group, string Reason, IReadOnlyList<LogEntry> Entries);
