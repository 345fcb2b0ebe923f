using System.Buffers.Binary;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Wire.Tests.Peers;

/// <summary>Damages messages in the ways that find bugs in readers: flipped bits, extreme bytes, cuts, doubled and swapped pieces.</summary>
internal sealed class FrameMutations(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>A damaged copy, one to four times.</summary>
    public byte[] Mutate(byte[] message)
    {
        for (var times = _random.Next(1, 5); times > 0; times--)
            message = MutateOnce(message);
        return message;
    }

    /// <summary>Gives a mutated frame the length and checksum that it should have, so that what is behind them is tested too.</summary>
    public static void Seal(byte[] frame) => SealAfter(frame, 0);

    /// <summary>The same, where length and checksum stand at <paramref name="offset"/>.</summary>
    public static void SealAfter(byte[] message, int offset)
    {
        var numbers = message.AsSpan(offset, PeerFrameCodec.PrefixBytes);
        var content = message.AsSpan(offset + PeerFrameCodec.PrefixBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers, (uint)content.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(numbers[sizeof(uint)..], Crc32C.Compute(content));
    }

    private byte[] MutateOnce(byte[] message)
    {
        if (message.Length == 0)
            return [0x80];
        var at = _random.Next(message.Length);
        var copy = (byte[])message.Clone();
        switch (_random.Next(6))
        {
            case 0:
                copy[at] ^= (byte)(1 << _random.Next(8));
                return copy;
            case 1:
                copy[at] = (byte)_random.Next(256);
                return copy;
            case 2:
                copy.AsSpan(at, Math.Min(_random.Next(1, 11), copy.Length - at)).Fill(_random.Next(2) == 0 ? (byte)0xFF : (byte)0x80);
                return copy;
            case 3:
                return copy[..at];
            case 4:
                return [.. copy[..at], .. copy[_random.Next(at + 1)..at], .. copy[at..]];
            default:
                var garbage = new byte[_random.Next(1, 9)];
                _random.NextBytes(garbage);
                return [.. copy[..at], .. garbage, .. copy[at..]];
        }
    }
}
