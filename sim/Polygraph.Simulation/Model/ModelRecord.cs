using System.Buffers.Binary;
using Polygraph.Protocol;

namespace Polygraph.Simulation.Model;

/// <summary>
/// What an entry's record says in the simulated world: set <see cref="Key"/> to <see cref="Value"/>, asked for under an idempotency key; or,
/// with idempotency key 0, nothing (a no-op). The protocol sees only bytes.
/// </summary>
public readonly record struct ModelRecord(int Key, ulong Value, ulong IdempotencyKey)
{
    private const int Size = 20;

    /// <summary>A new leader's first entry.</summary>
    public static ModelRecord NoOp => default;

    public bool IsNoOp => IdempotencyKey == 0;

    /// <summary>The bytes, made longer by <paramref name="padding"/> so that entries differ in size.</summary>
    public ReadOnlyMemory<byte> Encode(int padding)
    {
        var bytes = new byte[Size + padding];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Key);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(4), Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(12), IdempotencyKey);
        return bytes;
    }

    public static ModelRecord Decode(LogEntry entry)
    {
        var bytes = entry.Record.Span;
        return new ModelRecord(
            BinaryPrimitives.ReadInt32LittleEndian(bytes),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[12..]));
    }
}
