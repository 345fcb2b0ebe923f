using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats.Wire;
using Polygraph.Protocol;
using Polygraph.Storage.Log;
using Polygraph.Wire.Log;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>
/// A whole log: segments and base, opened as at a start after a crash. What opens must go on: it takes an entry, gives back all of its own, and
/// opens again with the same end.
/// </summary>
internal sealed class LogDirectories : Format
{
    private const string Directory = "log";

    private static readonly GroupId Group = new(7);

    private static readonly ReplicationLogOptions Small = new() { SegmentBytesMax = 2048, FillAheadBytes = 256, TailBytesMax = 4096 };

    public override string Name => "log-directory";

    public override int Weight => 2;

    /// <summary>Two windows of a mebibyte for each segment, and a file names a segment in some thirty bytes.</summary>
    public override int AllocationBaseMax => 64 << 20;

    public override byte[] Draw(Dice dice)
    {
        var files = new MemoryFiles();
        Position last;
        using (var log = dice.Chance(30) ? ReplicationLog.Create(files, Directory, Group, Base(dice), Small) : ReplicationLog.Open(files, Directory, Group, Small))
        {
            for (var writes = dice.Below(5); writes > 0; writes--)
                Append(log, CutFiles.Entries(dice, log.Last, 1 + dice.Count(4, 60)), syncs: dice.Chance(70));
            if (dice.Chance(20) && log.Last.Index > log.First)
                log.DropBefore(log.First + (ulong)dice.Below((int)(log.Last.Index - log.First)));
            last = log.Last;
        }

        var bundle = FileBundle.Pack(files.Paths.Select(path => (Path.GetFileName(path), files[path])));
        using var again = ReplicationLog.Open(FilesOf(bundle), Directory, Group, Small);
        Same("The end of the log", last.ToString(), again.Last.ToString());
        return bundle;
    }

    public override bool Accepts(byte[] input)
    {
        try
        {
            using var log = ReplicationLog.Open(FilesOf(input), Directory, Group, Small);
            return true;
        }
        catch (Exception refusal) when (refusal is LogCorruptedException or EntryFormatException)
        {
            return false;
        }
    }

    public override void CheckAccepted(byte[] input)
    {
        var files = FilesOf(input);
        Position last;
        using (var log = ReplicationLog.Open(files, Directory, Group, Small))
        {
            if (log.Last.Index.Value >= ulong.MaxValue - 1 || log.Last.Term.Value >= ulong.MaxValue - 1)
                return; // No entry can follow; no log gets so far.
            var next = new Position(new(log.Last.Term.Value + 1), log.Last.Index.Next);
            Append(log, [new LogEntry(next, EntryCodec.Encode(new EntryHeader { Position = next, Payload = PayloadFormat.NoOp }, default))], syncs: true);
            var expected = log.First;
            foreach (var entry in log.Read(log.First, log.Last.Index, int.MaxValue))
            {
                Same("The place of an entry", expected.ToString(), entry.Position.Index.ToString());
                expected = expected.Next;
            }

            Same("The end of what was read", log.Last.Index.Next.ToString(), expected.ToString());
            last = log.Last;
        }

        using var again = ReplicationLog.Open(files, Directory, Group, Small);
        Same("The end of the log", last.ToString(), again.Last.ToString());
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other)
    {
        var files = FileBundle.Unpack(input);
        if (files.Count == 0)
            return ByteMutations.Mutate(dice, input, other, Words);
        var others = FileBundle.Unpack(other);
        var at = dice.Below(files.Count);
        var (name, content) = files[at];
        switch (dice.Below(12))
        {
            case 0:
                files.RemoveAt(at);
                break;
            case 1 when others.Count > 0:
                files.Add(dice.PickOf(others));
                break;
            case 2:
                files[at] = (dice.PickOf(files).Name, content);
                break;
            case 3:
                files[at] = (name + dice.Pick(".tmp", "x", ".seg", "2"), content);
                break;
            case 4:
                files.Add((dice.Pick("base", "base.tmp", "0000000000000001.seg.tmp", "x.seg", ".seg", "ffffffffffffffff.seg"), content));
                break;
            default:
                files[at] = (name, Damaged(dice, name, content, others));
                break;
        }

        return FileBundle.Pack(files);
    }

    private static byte[] Damaged(Dice dice, string name, byte[] content, List<(string Name, byte[] Content)> others)
    {
        var damaged = ByteMutations.Mutate(dice, content, others.Count > 0 ? dice.PickOf(others).Content : content, []);
        if (!dice.Coin())
            return damaged;
        if (name == LogBaseFile.FileName)
            Seals.ChecksumAtTheEnd(damaged);
        else
            SegmentSeal.Seal(damaged);
        return damaged;
    }

    private static void Append(ReplicationLog log, List<LogEntry> entries, bool syncs)
    {
        log.Tail.Append(entries);
        log.Append(entries);
        if (syncs)
            log.Sync();
    }

    private static LogBase Base(Dice dice) => LogBases.Base(dice);

    private static MemoryFiles FilesOf(byte[] bundle)
    {
        var files = new MemoryFiles();
        foreach (var (name, content) in FileBundle.Unpack(bundle))
            files[Path.Combine(Directory, name)] = content;
        return files;
    }
}
