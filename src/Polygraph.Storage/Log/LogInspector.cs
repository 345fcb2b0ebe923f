using System.Buffers;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Log;

/// <summary>What a log's files hold.</summary>
/// <param name="Directory">The log's directory.</param>
/// <param name="Base">Where it begins.</param>
/// <param name="Segments">How many segments were read to their end.</param>
/// <param name="Entries">How many entries they hold.</param>
/// <param name="Bytes">The bytes of these segments in use, without what is filled ahead.</param>
/// <param name="Last">The last good entry; the base's position if there is none.</param>
/// <param name="UnfinishedBytes">Of a write at the end that is still going on, or that a crash interrupted: no damage.</param>
/// <param name="Damage">The first damage, in the order of the entries; null if there is none.</param>
public sealed record LogInspection(
    string Directory, LogBase Base, int Segments, long Entries, long Bytes, Position Last, long UnfinishedBytes, LogCorruptedException? Damage);

/// <summary>
/// Reads the files of a log, every record, and changes nothing: also while a node writes them, and also when they are damaged. What a node appends
/// meanwhile may be seen or not.
/// </summary>
public sealed class LogInspector
{
    /// <summary>A node may be writing what is read, so damage at the end of the log must be there twice; and it may drop segments, a few at a time.</summary>
    private const int AttemptsMax = 3;

    private readonly string _directory;
    private readonly ReadOnlySpanAction<byte, Position>? _eachRecord;
    private readonly LogBase _base;
    private Position _last;
    private int _segments;
    private long _entries;
    private long _bytes;
    private long _unfinishedBytes;

    private LogInspector(string directory, LogBase start, ReadOnlySpanAction<byte, Position>? eachRecord)
    {
        _directory = directory;
        _eachRecord = eachRecord;
        _base = start;
        _last = start.Position;
    }

    /// <summary>Reads a log.</summary>
    /// <param name="directory">Its directory.</param>
    /// <param name="eachRecord">Gets each entry's record and position, in order, valid during the call only; null if nobody wants them.</param>
    /// <exception cref="IOException">The files cannot be read.</exception>
    /// <exception cref="EntryFormatException">An entry needs a newer version.</exception>
    public static LogInspection Run(string directory, ReadOnlySpanAction<byte, Position>? eachRecord = null)
    {
        var seen = LogIndex.Zero;
        var begins = Position.Zero;
        for (var attempt = 1; ; attempt++)
        {
            LogInspector? inspector = null;
            try
            {
                var start = LogBaseFile.Read(DiskFileSystem.Instance, directory, group: null);
                inspector = new LogInspector(directory, start.Base, EachOnce);

                // Trimmed since the last attempt, so that one proves nothing.
                if (start.Base.Position != begins)
                    (begins, attempt) = (start.Base.Position, 1);
                if (!start.ReplacesAll)
                    inspector.ReadSegments();
                return inspector.Result(null);
            }
            catch (LogCorruptedException) when (attempt < AttemptsMax)
            {
            }
            catch (FileNotFoundException) when (attempt < AttemptsMax)
            {
            }
            catch (LogCorruptedException damage)
            {
                return (inspector ?? new LogInspector(directory, LogBase.None, null)).Result(damage);
            }
        }

        void EachOnce(ReadOnlySpan<byte> record, Position position)
        {
            if (position.Index <= seen)
                return;
            seen = position.Index;
            eachRecord?.Invoke(record, position);
        }
    }

    private LogInspection Result(LogCorruptedException? damage)
        => new(_directory, _base, _segments, _entries, _bytes, _last, _unfinishedBytes, damage);

    private void ReadSegments()
    {
        var firstName = SegmentFormat.FileName(_base.Position.Index.Next);
        var names = DiskFileSystem.Instance.List(_directory)
            .Where(name => name.EndsWith(SegmentFormat.FileSuffix, StringComparison.Ordinal) && string.CompareOrdinal(name, firstName) >= 0)
            .ToArray();
        for (var i = 0; i < names.Length; i++)
            ReadSegment(Path.Combine(_directory, names[i]), isLast: i == names.Length - 1);
    }

    private void ReadSegment(string path, bool isLast)
    {
        using var file = DiskFileSystem.Instance.Open(path, FileOpening.ReadOnly);
        var before = _last;
        var contents = SegmentScan.Run(file, path, Count);
        if (contents.Header.Previous != before)
            throw new LogCorruptedException(path, 0, before, $"it continues {contents.Header.Previous}, so entries between are missing.");
        if (!isLast && !contents.Sealed)
            throw new LogCorruptedException(path, contents.End, contents.Last, "the segment ends here although another follows it.");
        _segments++;
        _bytes += contents.End;
        _unfinishedBytes = contents.TornBytes;
    }

    private void Count(ReadOnlySpan<byte> record, Position position)
    {
        _entries++;
        _last = position;
        _eachRecord?.Invoke(record, position);
    }
}
