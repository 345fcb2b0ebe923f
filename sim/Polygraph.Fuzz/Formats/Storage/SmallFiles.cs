using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats.Wire;
using Polygraph.Protocol;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Log;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>Where a log begins.</summary>
internal sealed class LogBases : Codec<LogBaseFile>
{
    private const string Directory = "log";

    private static readonly GroupId Group = new(7);

    public override string Name => "log-base";

    /// <summary>A base with some terms, seldom with very many.</summary>
    public static LogBase Base(Dice dice)
    {
        var (term, index) = (0UL, 0UL);
        var starts = dice.Many(() => new Position(new(term += 1 + (ulong)dice.Below(5)), new(index += 1 + (ulong)dice.Below(1000))), 4, 3000);
        return starts.Length == 0 ? LogBase.None : new(new(new(term), new(index + (ulong)dice.Below(1000))), TermHistory.FromStarts(starts));
    }

    protected override LogBaseFile DrawValue(Dice dice) => new(Base(dice), dice.Coin());

    protected override byte[] Encode(LogBaseFile value)
    {
        var files = new MemoryFiles();
        value.Write(files, Directory, Group);
        return files[files.Paths.Single()];
    }

    protected override LogBaseFile Decode(byte[] bytes) => LogBaseFile.Read(MemoryFiles.With($"{Directory}/{LogBaseFile.FileName}", bytes), Directory, Group);

    protected override bool IsRefusal(Exception exception) => exception is LogCorruptedException;

    protected override void Seal(byte[] mutated) => Seals.ChecksumAtTheEnd(mutated);
}

/// <summary>Term and vote, in two slots.</summary>
internal sealed class Votes : Codec<DurableVote>
{
    private const string File = "replica/vote";
    private const int SlotStride = 4096;
    private const int SlotBytes = 8 + 8 + 2 + VoteStore.NodeIdBytesMax + 1 + 4;

    public override string Name => "vote";

    protected override DurableVote DrawValue(Dice dice) => new(new(1 + (dice.Number() >> 1)), dice.Coin() ? new(dice.Name()) : NodeId.None);

    protected override byte[] Encode(DurableVote value)
    {
        var files = new MemoryFiles();
        using (var store = VoteStore.Open(files, File, Position.Zero))
            store.Save(value);
        return files[File];
    }

    protected override DurableVote Decode(byte[] bytes)
    {
        using var store = VoteStore.Open(MemoryFiles.With(File, bytes), File, Position.Zero);
        return store.Current;
    }

    protected override bool IsRefusal(Exception exception) => exception is LogCorruptedException;

    /// <summary>The file is mostly zeros: what is damaged is one of the slots.</summary>
    protected override byte[] Damage(Dice dice, byte[] input, byte[] other)
    {
        if (dice.Below(8) == 0 || input.Length < SlotStride + SlotBytes)
            return base.Damage(dice, input, other);
        var at = dice.Coin() ? 0 : SlotStride;
        var from = dice.Chance(30) ? at : at + dice.Pick(0, 8, 16, 18);
        var piece = ByteMutations.Mutate(dice, input[from..(at + SlotBytes)], other, []);
        var damaged = input.AsSpan().ToArray();
        piece.AsSpan(0, Math.Min(piece.Length, damaged.Length - from)).CopyTo(damaged.AsSpan(from));
        return damaged;
    }

    protected override void Seal(byte[] mutated)
    {
        foreach (var at in (int[])[0, SlotStride])
            if (mutated.Length >= at + SlotBytes)
                Seals.ChecksumAtTheEnd(mutated.AsSpan(at, SlotBytes));
    }
}

/// <summary>How far recovery must finish a checkpoint.</summary>
internal sealed class CheckpointMarkers : Codec<CheckpointMarker>
{
    private const string Database = "replica/database.sqlite";

    public override string Name => "checkpoint-marker";

    protected override CheckpointMarker DrawValue(Dice dice) => new(dice.Bits(), dice.Signed(), new(new(dice.Number()), new(dice.Number())));

    protected override byte[] Encode(CheckpointMarker value)
    {
        var files = new MemoryFiles();
        value.Write(files, Database);
        return files[files.Paths.Single()];
    }

    protected override CheckpointMarker Decode(byte[] bytes) => CheckpointMarker.Read(MemoryFiles.With(CheckpointMarker.PathFor(Database), bytes), Database)!.Value;

    protected override bool IsRefusal(Exception exception) => exception is DatabaseDamagedException;

    protected override void Seal(byte[] mutated) => Seals.ChecksumAtTheEnd(mutated);
}
