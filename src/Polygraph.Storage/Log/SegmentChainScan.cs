using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>What a log's directory was found to hold.</summary>
internal sealed record ChainContents(Segment[] Segments, Position Last, TermHistory Terms, long TornBytes);

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

        var segments = names.Where(name => name.EndsWith(SegmentFormat.FileSuffix, StringComparison.Ordinal)).ToArray();
        for (var i = 0; i < segments.Length; i++)
            OpenNext(Path.Combine(_directory, segments[i]), isLast: i == segments.Length - 1);
        return new([.. _segments], _last, _terms, _tornBytes);
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
    }

    private void CheckContinues(string path, SegmentContents contents, bool isLast)
    {
        var header = contents.Header;
        if (header.Group != _group)
            throw new LogCorruptedException(path, 0, _last, $"it belongs to group {header.Group}, not {_group}.");
        if (Path.GetFileName(path) != SegmentFormat.FileName(header.First))
            throw new LogCorruptedException(path, 0, _last, $"its name does not say that it begins at {header.First}.");
        if (_segments.Count == 0)
            BeginAfter(header.Previous);
        else if (header.Previous != _last)
            throw new LogCorruptedException(path, 0, _last, $"it continues {header.Previous}, so entries between are missing.");
        if (!isLast && !contents.Sealed)
            throw new LogCorruptedException(path, contents.End, contents.Last, "the segment ends here although another follows it.");
    }

    /// <summary>The oldest segment knows the term of the entry before it, which others may ask for.</summary>
    private void BeginAfter(Position previous)
    {
        _last = previous;
        if (previous != Position.Zero)
            _terms = _terms.Append(previous);
    }
}
