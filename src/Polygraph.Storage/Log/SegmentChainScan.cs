using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>What a log's directory was found to hold.</summary>
/// <param name="Base">Where the log begins; all of it was being replaced when a crash came, if it says so.</param>
/// <param name="Segments">The segments from there on; empty if the log was never written to, or is to begin anew.</param>
/// <param name="Leftovers">Names of segments that are no longer of the log: to be deleted.</param>
/// <param name="Last">The last entry; the base's if there is none.</param>
/// <param name="Terms">The terms of all entries up to it.</param>
/// <param name="TornBytes">Bytes of an unfinished write at the end.</param>
internal sealed record ChainContents(
    LogBaseFile Base, Segment[] Segments, string[] Leftovers, Position Last, TermHistory Terms, long TornBytes);

/// <summary>Opens the segments of a directory: each is read once, and each must continue the one before it.</summary>
internal sealed class SegmentChainScan
{
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly GroupId _group;
    private readonly List<Segment> _segments = [];
    private TermHistory _terms = TermHistory.Empty;
    private Position _last;
    private long _tornBytes;

    private SegmentChainScan(IFileSystem files, string directory, GroupId group)
    {
        _files = files;
        _directory = directory;
        _group = group;
    }

    public static ChainContents Run(IFileSystem files, string directory, GroupId group)
    {
        var scan = new SegmentChainScan(files, directory, group);
        try
        {
            return scan.Run();
        }
        catch
        {
            scan._segments.ForEach(segment => segment.Dispose());
            throw;
        }
    }

    private ChainContents Run()
    {
        var names = _files.List(_directory);
        foreach (var unfinished in names.Where(name => name.EndsWith(SegmentFormat.FileSuffix + FileRecipes.TemporarySuffix, StringComparison.Ordinal)))
            _files.Delete(Path.Combine(_directory, unfinished));

        _files.Delete(Path.Combine(_directory, LogBaseFile.FileName + FileRecipes.TemporarySuffix));
        var start = LogBaseFile.Read(_files, _directory, _group);
        (_last, _terms) = (start.Base.Position, start.Base.Terms);

        var segments = names.Where(name => name.EndsWith(SegmentFormat.FileSuffix, StringComparison.Ordinal)).ToArray();
        var leftovers = start.ReplacesAll ? segments.Length : LeftoversOf(segments, start.Base);
        for (var i = leftovers; i < segments.Length; i++)
            OpenNext(Path.Combine(_directory, segments[i]), isLast: i == segments.Length - 1);
        if (_segments.Count == 0 && !start.ReplacesAll && _last != Position.Zero)
            throw new LogCorruptedException(Path.Combine(_directory, LogBaseFile.FileName), 0, _last, "no segment continues it.");
        return new(start, [.. _segments], segments[..leftovers], _last, _terms, _tornBytes);
    }

    /// <summary>How many segments end before the base: the drop that moved it there had not deleted them yet.</summary>
    private static int LeftoversOf(string[] segments, LogBase start)
    {
        var firstName = SegmentFormat.FileName(start.Position.Index.Next);
        var count = 0;
        while (count + 1 < segments.Length && string.CompareOrdinal(segments[count + 1], firstName) <= 0)
            count++;
        return count;
    }

    private void OpenNext(string path, bool isLast)
    {
        var file = _files.Open(path, FileOpening.Existing);
        SegmentContents contents;
        try
        {
            contents = SegmentScan.Run(file, path);
            CheckContinues(path, contents, isLast);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        foreach (var start in contents.TermStarts)
            _terms = _terms.Append(start);
        _last = contents.Last;
        _tornBytes += contents.TornBytes;
        _segments.Add(Segment.FromScan(path, file, contents));

        // All others were closed, and synced before the next one was made.
        if (isLast)
            _segments[^1].WriteAgain(contents.DoubtfulFrom);
    }

    private void CheckContinues(string path, SegmentContents contents, bool isLast)
    {
        var header = contents.Header;
        if (header.Group != _group)
            throw new LogCorruptedException(path, 0, _last, $"it belongs to group {header.Group}, not {_group}.");
        if (Path.GetFileName(path) != SegmentFormat.FileName(header.First))
            throw new LogCorruptedException(path, 0, _last, $"its name does not say that it begins at {header.First}.");
        if (header.Previous != _last)
            throw new LogCorruptedException(path, 0, _last, $"it continues {header.Previous}, so entries between are missing.");
        if (!isLast && !contents.Sealed)
            throw new LogCorruptedException(path, contents.End, contents.Last, "the segment ends here although another follows it.");
    }
}
