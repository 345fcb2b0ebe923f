using System.Buffers.Binary;

namespace Polygraph.CrashTest.Script;

/// <summary>What a replica told the world before it died: what it may never take back.</summary>
internal enum Fact : byte
{
    /// <summary>All entries up to the position are durable.</summary>
    Durable,

    /// <summary>The vote of the position's term is durable.</summary>
    Voted,

    /// <summary>A checkpoint at the position is complete.</summary>
    Checkpointed,

    /// <summary>Entries from the position's index on are about to be cut, as the position's term has another history.</summary>
    Cutting,

    /// <summary>They are cut.</summary>
    Cut,

    /// <summary>Entries before the position's index may be dropped from now on.</summary>
    Dropping,

    /// <summary>They are dropped.</summary>
    Dropped,
}

/// <summary>One such thing, as it goes through the pipe to the parent.</summary>
internal readonly record struct Report(Fact Fact, Position Position)
{
    public const int Bytes = 17;

    public byte[] Encode()
    {
        var bytes = new byte[Bytes];
        bytes[0] = (byte)Fact;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), Position.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(9), Position.Index.Value);
        return bytes;
    }

    public static List<Report> DecodeAll(ReadOnlySpan<byte> bytes)
    {
        var reports = new List<Report>();
        for (; bytes.Length >= Bytes; bytes = bytes[Bytes..])
        {
            reports.Add(new(
                (Fact)bytes[0],
                new(new Term(BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..])), new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(bytes[9..])))));
        }

        return reports;
    }
}
