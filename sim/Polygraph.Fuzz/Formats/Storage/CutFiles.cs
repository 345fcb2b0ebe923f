using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Storage.Log;
using Polygraph.Wire.Log;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>A closed segment with a note: what was cut from a log. The format is that of the log's own segments.</summary>
internal sealed class CutFiles : Codec<CutEntries>
{
    private const string LogDirectory = "log";

    public override string Name => "cut-file";

    public override int Weight => 2;

    /// <summary>Two windows of a mebibyte, however short the file is.</summary>
    public override int AllocationBaseMax => 3 << 20;

    /// <summary>The entries of a log that goes on behind some position, in order of terms.</summary>
    public static List<LogEntry> Entries(Dice dice, Position previous, int count)
    {
        var entries = new List<LogEntry>();
        for (var i = 0; i < count; i++)
        {
            var term = previous.Term == Term.Zero || dice.Below(4) == 0 ? new Term(previous.Term.Value + 1 + (ulong)dice.Below(3)) : previous.Term;
            previous = new Position(term, previous.Index.Next);
            entries.Add(new LogEntry(previous, EntryCodec.Encode(Wire.Entries.Header(dice, previous), dice.Bytes())));
        }

        return entries;
    }

    protected override CutEntries DrawValue(Dice dice)
    {
        var previous = new Position(new(1 + (dice.Number() >> 4)), new(dice.Number() >> 4));
        return new(new((uint)dice.Bits()), dice.Text(), Entries(dice, previous, 1 + dice.Count(4, 200)));
    }

    protected override byte[] Encode(CutEntries value)
    {
        var files = new MemoryFiles();
        var first = value.Entries.Count > 0 ? value.Entries[0].Position : new Position(new(1), new(1));
        var header = new SegmentHeader(value.Group, first.Index, new(first.Term.Value), value.Reason);
        var last = value.Entries.Count > 0 ? value.Entries[^1].Position : header.Previous;
        CutFile.Save(files, LogDirectory, header, last, index => [.. value.Entries.SkipWhile(entry => entry.Position.Index < index)]);
        return files[files.Paths.Single()];
    }

    protected override CutEntries Decode(byte[] bytes) => CutFile.Read(MemoryFiles.With("a.cut", bytes), "a.cut");

    protected override bool IsRefusal(Exception exception) => exception is LogCorruptedException or EntryFormatException;

    protected override void Seal(byte[] mutated) => SegmentSeal.Seal(mutated);

    public override void CheckAccepted(byte[] input)
    {
        // An empty file of cut entries is whole, and nobody writes one.
        if (Decode(input).Entries.Count > 0)
            base.CheckAccepted(input);
    }
}

/// <summary>The names of such files: what is none of them is passed over.</summary>
internal sealed class CutNames : Format
{
    private const string Directory = "log/cut";

    public override string Name => "cut-name";

    public override byte[] Draw(Dice dice)
    {
        var (first, last, term) = (dice.Number(), dice.Number(), dice.Number());
        var name = $"{first:x16}-{last:x16}-{term:x16}.cut";
        var found = CutFile.List(MemoryFiles.With($"{Directory}/{name}", []), "log").Single();
        Same("The name", $"{first} {last} {term}", $"{found.First.Value} {found.Last.Index.Value} {found.Last.Term.Value}");
        return System.Text.Encoding.UTF8.GetBytes(name);
    }

    public override bool Accepts(byte[] input)
    {
        var name = System.Text.Encoding.UTF8.GetString(input).Replace('/', '_').Replace('\0', '_');
        return name.Length > 0 && CutFile.List(MemoryFiles.With($"{Directory}/{name}", []), "log").Count == 1;
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other) => TextMutations.Mutate(dice, input, other, Words);
}
