using System.Buffers.Binary;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>Makes the checksums of a damaged segment right again, frame after frame, so far as its lengths lead.</summary>
internal static class SegmentSeal
{
    private const int ChecksumAt = SegmentFormat.HeaderBytes - sizeof(uint);

    public static void Seal(Span<byte> segment)
    {
        if (segment.Length < SegmentFormat.HeaderBytes)
            return;
        int header = BinaryPrimitives.ReadUInt16LittleEndian(segment[10..]);
        if (header < SegmentFormat.HeaderBytes || header > segment.Length)
            BinaryPrimitives.WriteUInt16LittleEndian(segment[10..], (ushort)(header = SegmentFormat.HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(segment[ChecksumAt..], Crc32C.Of(segment[SegmentFormat.HeaderBytes..header], Crc32C.Of(segment[..ChecksumAt])));
        for (var rest = segment[header..]; rest.Length > SegmentFormat.FrameBytes;)
        {
            var claimed = SegmentFormat.ClaimedBytes(rest);
            if (claimed == 0 || claimed > rest.Length)
                return;
            BinaryPrimitives.WriteUInt32LittleEndian(
                rest, Crc32C.Of(rest[SegmentFormat.FrameBytes..(int)claimed], Crc32C.Of(rest[4..SegmentFormat.FrameBytes])));
            rest = rest[(int)claimed..];
        }
    }
}
