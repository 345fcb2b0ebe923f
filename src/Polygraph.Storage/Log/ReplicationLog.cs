using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Log;

/// <summary>
/// One group's replication log: <see cref="Tail"/> is what the log is, at once, for everybody; the segment files are what of it survives a
/// crash, brought after the tail by the log thread.
/// </summary>
/// <remarks>
/// The group loop calls <see cref="TailCache.Append"/> and <see cref="TailCache.CutFrom"/>; the log thread does the same to the files, in the
/// same order, with <see cref="Append"/>, <see cref="CutFrom"/> and <see cref="Sync"/>; any thread reads. After a failed write or sync every
/// later call throws <see cref="LogFailedException"/> until the log is opened again.
/// </remarks>
public sealed partial class ReplicationLog : IDisposable
{
    /// <summary>How much of a log is in memory at a time while its end is saved before a cut.</summary>
    private const int CutReadBytesMax = 4 * 1024 * 1024;

    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly GroupId _group;
    private readonly SegmentChain _segments;

    // Owner: the log thread; read by any.
    private volatile LogFailedException? _failure;

    private ReplicationLog(IFileSystem files, string directory, GroupId group, SegmentChain segments, TailCache tail, long tornBytes)
    {
        _files = files;
        _directory = directory;
        _group = group;
        _segments = segments;
        Tail = tail;
        TornBytesCut = tornBytes;
    }

    /// <summary>The end of the log in memory, where it grows and is cut first.</summary>
    public TailCache Tail { get; }

    /// <summary>The first entry that the log still has; the place of the next one if it has none.</summary>
    public LogIndex First => LogIndex.Max(_segments.First, Tail.First);

    /// <summary>The entry right before <see cref="First"/>, which the log no longer has; zero if it has all.</summary>
    public Position Before
    {
        get
        {
            var index = First.Previous;
            return new(Terms.TermAt(index), index);
        }
    }

    /// <summary>The files of the log, oldest first.</summary>
    public IReadOnlyList<SegmentExtent> Segments => _segments.Extents;

    /// <summary>The last entry, durable or not.</summary>
    public Position Last => Tail.Last;

    /// <summary>The terms of all entries since the group began, also of those before <see cref="First"/> that the log no longer has.</summary>
    public TermHistory Terms => Tail.Terms;

    /// <summary>How many bytes of an unfinished write opening found and cut: 0 after an orderly end.</summary>
    public long TornBytesCut { get; }

    /// <summary>
    /// Opens the log in a directory, or creates it. Reads every segment once. An unfinished write at the end is cut; it was never acknowledged.
    /// The directory must be the caller's own (<see cref="DirectoryLock"/>).
    /// </summary>
    /// <exception cref="LogCorruptedException">Something that was durable is damaged. Nothing was changed.</exception>
    /// <exception cref="LogFailedException">The environment refused.</exception>
    public static ReplicationLog Open(IFileSystem files, string directory, GroupId group, ReplicationLogOptions options)
    {
        options.Check();
        try
        {
            files.CreateDirectory(directory);
            var contents = SegmentChainScan.Run(files, directory, group);
            var segments = SegmentChain.Open(files, directory, group, options, contents);
            var tail = new TailCache(contents.Last, contents.Terms, options.TailBytesMax);
            return new ReplicationLog(files, directory, group, segments, tail, contents.TornBytes);
        }
        catch (Exception e) when (IsEnvironment(e))
        {
            throw new LogFailedException(directory, "opening", e);
        }
    }

    /// <summary>
    /// Opens an empty log that goes on behind <paramref name="start"/>, whatever the directory held: that is gone. For a new copy of a database, or
    /// in place of a damaged log. A crash leaves the old log or the new one.
    /// </summary>
    public static ReplicationLog Create(IFileSystem files, string directory, GroupId group, LogBase start, ReplicationLogOptions options)
    {
        try
        {
            files.CreateDirectory(directory);
            new LogBaseFile(start, ReplacesAll: true).Write(files, directory, group);
        }
        catch (Exception e) when (IsEnvironment(e))
        {
            throw new LogFailedException(directory, "creating", e);
        }

        return Open(files, directory, group, options);
    }

    /// <summary>Writes entries behind the last that was written. Not durable before <see cref="Sync"/>. Only for the log thread.</summary>
    public void Append(IReadOnlyList<LogEntry> entries)
    {
        if (entries.Count == 0)
            return;
        Change("writing entries", () => _segments.Append(entries));
        Tail.MarkWritten(entries[^1]);
    }

    /// <summary>Makes everything that was appended durable. Only for the log thread.</summary>
    public void Sync() => Change("syncing", _segments.Sync);

    /// <summary>
    /// Takes an entry and all after it out of the files: saves them to a <see cref="CutFile"/> first, then cuts. Durable on return; a crash on
    /// the way leaves a log that is only longer than wanted, and the entries saved. Does nothing if the log ends before. Only for the log thread.
    /// </summary>
    public void CutFrom(LogIndex from, string reason)
        => Change("cutting", () =>
        {
            if (from > _segments.Last.Index)
                return;
            Invariant.Holds(from >= _segments.First, "entries that are no longer in the log cannot be cut");
            SaveCut(from, reason);
            _segments.CutFrom(from, BeforeWritten(from));
        });

    /// <summary>
    /// Removes whole segments that hold nothing from <paramref name="keepFrom"/> on: bounds the disk. Where the log then begins, and the terms of
    /// what is gone, is durable before anything is deleted. Only for the log thread; the caller answers for that nobody needs the entries: they
    /// are committed, and no checkpoint, follower or archive is behind them.
    /// </summary>
    public void DropBefore(LogIndex keepFrom) => Change("dropping old segments", () => _segments.DropBefore(keepFrom));

    /// <summary>
    /// Replaces the whole log in the files by an empty one that goes on behind <paramref name="start"/>: after a snapshot was installed. A crash
    /// leaves the old log or the new one. Entries that the history up to <paramref name="start"/> does not hold are saved to a
    /// <see cref="CutFile"/> first, and so are those behind it, as nothing says whether it will. Durable on return. Only for the log thread.
    /// </summary>
    /// <exception cref="LogCorruptedException">Something to be saved is damaged; the log was not replaced.</exception>
    public void ResetTo(LogBase start, string reason)
    {
        start.Check();
        Change("replacing the log", () =>
        {
            SaveCut(FirstNotIn(start), reason);
            _segments.ResetTo(start);
        });
    }

    /// <summary>
    /// The entries of a range, up to so many bytes of records, one entry at least. From memory where they are there, else from the files, checked.
    /// Fewer, or none, if the log does not hold them all: never appended, dropped, or cut, perhaps just now; what is returned is without gaps
    /// and of one history. Where it reads files it waits for a cut that is under way. Any thread.
    /// </summary>
    /// <exception cref="LogCorruptedException">A record in the files is not what was written.</exception>
    /// <exception cref="LogFailedException">The log has stopped working, or the environment refused this read.</exception>
    public IReadOnlyList<LogEntry> Read(LogIndex first, LogIndex last, int bytesMax)
    {
        ThrowIfFailed();

        // A cut during the read may have touched what was read, or only what is behind it: read again. Ends, as each round takes a cut, and a
        // group cuts at most once a change of leader.
        while (true)
        {
            if (ReadBetweenCuts(Tail.Generation, first, last, bytesMax) is { } entries)
                return entries;
            if (first < First || first > Last.Index)
                return [];
        }
    }

    /// <summary>
    /// The last entry of the range that <see cref="Read"/> with the same arguments would return, from memory: no file is read or waited for.
    /// <paramref name="first"/> itself if the log does not hold it. Any thread.
    /// </summary>
    public LogIndex LastThatFits(LogIndex first, LogIndex last, int bytesMax)
    {
        LogIndex? found = null;
        long budget = bytesMax;
        var generation = Tail.Generation;
        if (first < Tail.First)
            return first;
        while (!Tail.TryMeasure(generation, first, last, ref budget, ref found))
        {
            if (generation != Tail.Generation)
                return first;

            var inFiles = LogIndex.Min(last, Tail.FirstInMemory.Previous);
            var measured = _segments.LastThatFits(first, inFiles, found is null, ref budget);
            if (measured is null)
                break;
            found = measured;
            if (measured < inFiles || inFiles == last)
                break;
            first = inFiles.Next;
        }

        return found ?? first;
    }

    /// <summary>Closes the files. What was not synced may be lost, as in a crash. No other thread may be using the log.</summary>
    public void Dispose() => _segments.Dispose();

    /// <summary>The entries of a range; null if the log was cut since <paramref name="generation"/>, before they were all read.</summary>
    private List<LogEntry>? ReadBetweenCuts(long generation, LogIndex first, LogIndex last, int bytesMax)
    {
        var entries = new List<LogEntry>();
        long budget = bytesMax;
        if (first < Tail.First)
            return entries;
        while (!Tail.TryRead(generation, first, last, ref budget, entries))
        {
            if (generation != Tail.Generation)
                return null;

            var before = entries.Count;
            var inFiles = LogIndex.Min(last, Tail.FirstInMemory.Previous);
            ReadFiles(first, inFiles, ref budget, entries);
            if (generation != Tail.Generation)
                return null;
            if (entries.Count == before || entries[^1].Position.Index < inFiles || inFiles == last)
                return entries;
            first = inFiles.Next;
        }

        return entries;
    }

    private Position BeforeWritten(LogIndex index) => new(_segments.Terms.TermAt(index.Previous), index.Previous);

    /// <summary>The first entry in the files that a history up to <paramref name="start"/> lacks, or that stands behind it.</summary>
    private LogIndex FirstNotIn(LogBase start)
    {
        // Terms change only where one starts, in either history: two histories that agree at a start agree up to the next one.
        var candidates = _segments.Terms.Starts.Concat(start.Terms.Starts).Select(from => from.Index).Append(_segments.First)
            .Where(index => index >= _segments.First && index <= start.Position.Index && _segments.Terms.TermAt(index) != start.Terms.TermAt(index))
            .Append(start.Position.Index.Next);
        return LogIndex.Max(candidates.Min(), _segments.First);
    }

    /// <summary>Saves an entry and all behind it, if there are any.</summary>
    private void SaveCut(LogIndex from, string reason)
    {
        var last = _segments.Last;
        var isNothing = from > last.Index;
        Plant("CutIsNotSaved", ref isNothing, true);
        if (isNothing)
            return;
        var header = new SegmentHeader(_group, from, BeforeWritten(from).Term, reason);
        CutFile.Save(_files, _directory, header, last, index => ReadWritten(index, CutReadBytesMax));
    }

    private List<LogEntry> ReadWritten(LogIndex first, int bytesMax)
    {
        var entries = new List<LogEntry>();
        long budget = bytesMax;
        _segments.Read(first, _segments.Last.Index, ref budget, entries);
        return entries;
    }

    private void ReadFiles(LogIndex first, LogIndex last, ref long budget, List<LogEntry> into)
    {
        try
        {
            _segments.Read(first, last, ref budget, into);
        }
        catch (Exception e) when (IsEnvironment(e))
        {
            throw new LogFailedException(_directory, "reading", e);
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new LogFailedException(_directory, failure.Operation, failure.InnerException!);
    }

    /// <summary>Whatever goes wrong in here leaves the files in a state that this object no longer knows.</summary>
    private void Change(string operation, Action change)
    {
        ThrowIfFailed();
        try
        {
            change();
        }
        catch (Exception e)
        {
            _failure = new LogFailedException(_directory, operation, e);
            if (IsEnvironment(e))
                throw _failure;
            throw;
        }
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    private static bool IsEnvironment(Exception e) => e is IOException or UnauthorizedAccessException;
}

/// <summary>A file of a log.</summary>
/// <param name="First">Its first entry.</param>
/// <param name="Bytes">How much of it is used.</param>
public readonly record struct SegmentExtent(LogIndex First, long Bytes);
