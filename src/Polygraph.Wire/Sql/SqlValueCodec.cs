using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>One value: its storage class in a byte, then nothing, a signed varint, 8 bytes of IEEE 754, or bytes with their length.</summary>
internal static class SqlValueCodec
{
    public static void Write(in SqlValue value, WireWriter writer)
    {
        writer.Byte((byte)value.Kind);
        switch (value.Kind)
        {
            case SqlValueKind.Integer:
                writer.SignedVarint(value.Integer);
                break;
            case SqlValueKind.Real:
                writer.UInt64(BitConverter.DoubleToUInt64Bits(value.Real));
                break;
            case SqlValueKind.Text or SqlValueKind.Blob:
                writer.Bytes(value.Bytes.Span, WireLimits.ValueBytesMax, "a value");
                break;
        }
    }

    public static SqlValue Read(ref WireReader reader)
    {
        var kind = reader.Byte("a value's storage class");
        return (SqlValueKind)kind switch
        {
            SqlValueKind.Integer => SqlValue.FromInteger(reader.SignedVarint("an integer")),
            SqlValueKind.Real => SqlValue.FromReal(BitConverter.UInt64BitsToDouble(reader.UInt64("a real"))),
            SqlValueKind.Text => SqlValue.FromUtf8(reader.Bytes(WireLimits.ValueBytesMax, "a text")),
            SqlValueKind.Blob => SqlValue.FromBlob(reader.Bytes(WireLimits.ValueBytesMax, "a blob")),
            SqlValueKind.Null => SqlValue.Null,
            _ => throw WireReader.Unknown("a value's storage class", kind),
        };
    }
}
