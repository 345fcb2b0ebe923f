using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// SQL values as Hrana writes them: an object with its type. Integers are decimal strings, so that no client rounds them; blobs are base64
/// without padding going out, with or without coming in; an infinity goes out as a float that is null.
/// </summary>
internal static class HranaValues
{
    public static SqlValue Read(ref JsonCursor cursor)
    {
        cursor.EnterObject("a value");
        var fields = new Fields();
        while (cursor.NextProperty())
            fields.Read(ref cursor);
        return fields.ToValue(ref cursor);
    }

    public static void Write(Utf8JsonWriter json, in SqlValue value)
    {
        json.WriteStartObject();
        switch (value.Kind)
        {
            case SqlValueKind.Integer:
                json.WriteString("type"u8, "integer"u8);
                json.WriteString("value"u8, value.Integer.ToString(CultureInfo.InvariantCulture));
                break;
            case SqlValueKind.Real:
                json.WriteString("type"u8, "float"u8);
                json.WritePropertyName("value"u8);
                WriteFloat(json, value.Real);
                break;
            case SqlValueKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WritePropertyName("value"u8);
                JsonValues.WriteText(json, value.Bytes.Span);
                break;
            case SqlValueKind.Blob:
                json.WriteString("type"u8, "blob"u8);
                WriteBase64(json, value.Bytes.Span);
                break;
            default:
                json.WriteString("type"u8, "null"u8);
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteFloat(Utf8JsonWriter json, double real)
    {
        if (double.IsFinite(real))
            JsonValues.WriteFinite(json, real);
        else
            json.WriteNullValue();
    }

    private static void WriteBase64(Utf8JsonWriter json, ReadOnlySpan<byte> blob)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(blob.Length));
        try
        {
            Base64.EncodeToUtf8(blob, rented, out _, out var length);
            json.WriteString("base64"u8, rented.AsSpan(0, length).TrimEnd((byte)'='));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The fields of one value, in whichever order they come.</summary>
    private ref struct Fields
    {
        private string? _type;
        private JsonTokenType _token;
        private byte[]? _text;
        private long? _integer;
        private double _real;
        private byte[]? _blob;
        private bool _typeSeen;
        private bool _valueSeen;
        private bool _blobSeen;

        public void Read(ref JsonCursor cursor)
        {
            if (cursor.NameIs("type"u8))
            {
                cursor.EnterValue(ref _typeSeen);
                _type = cursor.ReadString("'type'");
            }
            else if (cursor.NameIs("value"u8))
            {
                cursor.EnterValue(ref _valueSeen);
                ReadValue(ref cursor);
            }
            else if (cursor.NameIs("base64"u8))
            {
                cursor.EnterValue(ref _blobSeen);
                _blob = cursor.ReadBase64("'base64'");
            }
            else
            {
                cursor.SkipValue();
            }
        }

        public readonly SqlValue ToValue(ref JsonCursor cursor)
        {
            switch (_type)
            {
                case "null":
                    return SqlValue.Null;
                case "integer" when _integer is { } integer:
                    return SqlValue.FromInteger(integer);
                case "integer" when _token == JsonTokenType.String
                    && long.TryParse(_text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed):
                    return SqlValue.FromInteger(parsed);
                case "integer":
                    throw cursor.Refuse("the 'value' of an integer is a string that holds a 64-bit integer");
                case "float" when _token == JsonTokenType.Number && double.IsFinite(_real):
                    return SqlValue.FromReal(_real);
                case "float":
                    throw cursor.Refuse("the 'value' of a float is a finite number");
                case "text" when _text is not null:
                    return SqlValue.FromUtf8(_text);
                case "text":
                    throw cursor.Refuse("the 'value' of a text is a string");
                case "blob" when _blob is not null:
                    return SqlValue.FromBlob(_blob);
                case "blob":
                    throw cursor.Refuse("a blob has its bytes in 'base64'");
                default:
                    throw cursor.Refuse("a value's 'type' is null, integer, float, text or blob");
            }
        }

        private void ReadValue(ref JsonCursor cursor)
        {
            _token = cursor.Token;
            switch (_token)
            {
                case JsonTokenType.String:
                    _text = cursor.ReadUtf8("'value'");
                    break;
                case JsonTokenType.Number:
                    _integer = cursor.TryGetInt64(out var integer) ? integer : null;
                    _real = cursor.TryGetDouble(out var real) ? real : double.NaN;
                    break;
                case JsonTokenType.Null:
                    break;
                default:
                    throw cursor.Refuse($"'value' must be a string, a number or null, not {JsonCursor.Describe(_token)}");
            }
        }
    }
}
