using System.Buffers.Binary;
using Polygraph.Fuzz.Drawing;
using Polygraph.Storage.Checkpoints;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>SQLite's write-ahead log, of which recovery decides how much counts.</summary>
internal sealed class WriteAheadLogs : Format
{
    private const string File = "replica/database.sqlite-wal";
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;

    public override string Name => "wal";

    /// <summary>A frame of the largest page, 64 KiB, beside the header.</summary>
    public override int AllocationBaseMax => 128 * 1024;

    public override byte[] Draw(Dice dice)
    {
        var pageBytes = dice.Pick(512, 1024, 4096);
        var frames = dice.Below(5);
        var wal = dice.Fill(new byte[HeaderBytes + (frames * (FrameHeaderBytes + pageBytes))]);
        BinaryPrimitives.WriteUInt32BigEndian(wal, dice.Pick(0x377f0682u, 0x377f0683u));
        BinaryPrimitives.WriteInt32BigEndian(wal.AsSpan(8), pageBytes);
        Seal(wal);
        using var file = WalFile.TryOpen(MemoryFiles.With(File, wal), File)!;
        Same("Page size", pageBytes.ToString(), file.PageBytes.ToString());
        Same("Whole", (frames > 0).ToString(), file.HoldsWhole(frames).ToString());
        return wal;
    }

    public override bool Accepts(byte[] input)
    {
        using var file = WalFile.TryOpen(MemoryFiles.With(File, input), File);
        if (file is null)
            return false;
        for (long number = 0; number < 6; number++)
            file.HoldsWhole(number);
        file.IsCommit(long.MaxValue >> 20);
        return true;
    }

    public override byte[] Mutate(Dice dice, byte[] input, byte[] other)
    {
        var damaged = ByteMutations.Mutate(dice, input, other, Words);
        if (dice.Below(4) == 0 && damaged.Length >= HeaderBytes)
            BinaryPrimitives.WriteUInt32BigEndian(damaged.AsSpan(8), (uint)ByteMutations.LimitNear(dice, 4096));
        if (dice.Coin())
            Seal(damaged);
        return damaged;
    }

    /// <summary>SQLite's own running sums, over everything that can be a frame; every frame becomes a commit.</summary>
    private static void Seal(byte[] wal)
    {
        if (wal.Length < HeaderBytes)
            return;
        var isBigEndian = wal[3] == 0x83;
        var sum = Sum(wal.AsSpan(0, 24), (0, 0), isBigEndian);
        Write(wal.AsSpan(24), sum);
        var pageBytes = BinaryPrimitives.ReadInt32BigEndian(wal.AsSpan(8));
        if (pageBytes is < 8 or > 65536 || pageBytes % 8 != 0)
            return;
        for (var at = HeaderBytes; at + FrameHeaderBytes + pageBytes <= wal.Length; at += FrameHeaderBytes + pageBytes)
        {
            wal[at + 7] |= 1;
            wal.AsSpan(16, 8).CopyTo(wal.AsSpan(at + 8));
            sum = Sum(wal.AsSpan(at + FrameHeaderBytes, pageBytes), Sum(wal.AsSpan(at, 8), sum, isBigEndian), isBigEndian);
            Write(wal.AsSpan(at + 16), sum);
        }
    }

    private static void Write(Span<byte> at, (uint First, uint Second) sum)
    {
        BinaryPrimitives.WriteUInt32BigEndian(at, sum.First);
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], sum.Second);
    }

    private static (uint First, uint Second) Sum(ReadOnlySpan<byte> bytes, (uint First, uint Second) sum, bool isBigEndian)
    {
        var (first, second) = sum;
        for (var at = 0; at < bytes.Length; at += 8)
        {
            first += Word(bytes[at..]) + second;
            second += Word(bytes[(at + 4)..]) + first;
        }

        return (first, second);

        uint Word(ReadOnlySpan<byte> word) => isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(word) : BinaryPrimitives.ReadUInt32LittleEndian(word);
    }
}
