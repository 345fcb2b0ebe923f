using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// SQL values in the JSON of people and scripts. Written so that reading gives the same value back: an integer has no point, a REAL always
/// has one or an exponent; integers that a double cannot hold exactly are <c>{"integer":"…"}</c>, infinities <c>{"real":"Infinity"}</c>,
/// blobs <c>{"base64":"…"}</c>. Text that is not valid UTF-8 is shown with U+FFFD: JSON has no way to say it.
/// </summary>
internal static class JsonValues
{
    private const long ExactInDouble = 1L << 53;

    public static SqlValue Read(ref JsonCursor cursor)
        => cursor.Token switch
        {
            JsonTokenType.Null => SqlValue.Null,
            JsonTokenType.String => SqlValue.FromUtf8(cursor.ReadUtf8("a value")),
            JsonTokenType.Number => ReadNumber(ref cursor),
            JsonTokenType.StartObject => ReadTagged(ref cursor),
            JsonTokenType.True or JsonTokenType.False => throw cursor.Refuse("SQLite has no booleans: send 1 or 0"),
            _ => throw cursor.Refuse(
                $"a value is null, a number, a string, {{\"base64\":…}}, {{\"integer\":…}} or {{\"real\":…}}, not {JsonCursor.Describe(cursor.Token)}"),
        };

    public static void Write(Utf8JsonWriter json, in SqlValue value)
    {
        switch (value.Kind)
        {
            case SqlValueKind.Integer when value.Integer is >= -ExactInDouble and <= ExactInDouble:
                json.WriteNumberValue(value.Integer);
                break;
            case SqlValueKind.Integer:
                WriteTagged(json, "integer"u8, value.Integer.ToString(CultureInfo.InvariantCulture));
                break;
            case SqlValueKind.Real:
                WriteReal(json, value.Real);
                break;
            case SqlValueKind.Text:
                WriteText(json, value.Bytes.Span);
                break;
            case SqlValueKind.Blob:
                json.WriteStartObject();
                json.WriteBase64String("base64"u8, value.Bytes.Span);
                json.WriteEndObject();
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    /// <summary>Text as SQLite holds it, as a JSON string.</summary>
    public static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
            json.WriteStringValue(text);
        else
            json.WriteStringValue(Encoding.UTF8.GetString(text));
    }

    private static SqlValue ReadNumber(ref JsonCursor cursor)
    {
        if (cursor.NumberText.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0)
        {
            return cursor.TryGetInt64(out var integer)
                ? SqlValue.FromInteger(integer)
                : throw cursor.Refuse("this integer does not fit into 64 bits; write it with a point if a REAL is meant");
        }

        return cursor.TryGetDouble(out var real) && double.IsFinite(real)
            ? SqlValue.FromReal(real)
            : throw cursor.Refuse("this number is too large for a REAL; infinity is {\"real\":\"Infinity\"}");
    }

    private static SqlValue ReadTagged(ref JsonCursor cursor)
    {
        if (!cursor.NextProperty())
            throw cursor.Refuse("an empty object is not a value");

        SqlValue value;
        if (cursor.NameIs("base64"u8))
        {
            cursor.Next();
            value = SqlValue.FromBlob(cursor.ReadBase64("'base64'"));
        }
        else if (cursor.NameIs("integer"u8))
        {
            cursor.Next();
            value = long.TryParse(cursor.ReadString("'integer'"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
                ? SqlValue.FromInteger(integer)
                : throw cursor.Refuse("'integer' is not a 64-bit integer");
        }
        else if (cursor.NameIs("real"u8))
        {
            cursor.Next();
            value = SqlValue.FromReal(ReadReal(ref cursor));
        }
        else
        {
            throw cursor.Refuse("a value that is an object has one field: base64, integer or real");
        }

        return cursor.NextProperty() ? throw cursor.Refuse("a value that is an object has one field only") : value;
    }

    private static double ReadReal(ref JsonCursor cursor)
    {
        if (cursor.Token == JsonTokenType.Number)
            return cursor.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw cursor.Refuse("this number is too large for a REAL");

        return cursor.ReadString("'real'") switch
        {
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) => real,
            _ => throw cursor.Refuse("'real' is a number, \"Infinity\" or \"-Infinity\"; SQLite stores no NaN"),
        };
    }

    private static void WriteReal(Utf8JsonWriter json, double real)
    {
        if (double.IsNaN(real))
        {
            json.WriteNullValue();
            return;
        }

        if (double.IsInfinity(real))
        {
            WriteTagged(json, "real"u8, real > 0 ? "Infinity" : "-Infinity");
            return;
        }

        WriteFinite(json, real);
    }

    /// <summary>A finite number, with a point or an exponent, so that it is not read as an integer.</summary>
    public static void WriteFinite(Utf8JsonWriter json, double real)
    {
        // The longest shortest-round-trip double has 24 characters; two more for ".0".
        Span<byte> text = stackalloc byte[32];
        real.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
        if (text[..length].IndexOfAny((byte)'.', (byte)'E') < 0)
        {
            ".0"u8.CopyTo(text[length..]);
            length += 2;
        }

        json.WriteRawValue(text[..length], skipInputValidation: true);
    }

    private static void WriteTagged(Utf8JsonWriter json, ReadOnlySpan<byte> tag, string value)
    {
        json.WriteStartObject();
        json.WriteString(tag, value);
        json.WriteEndObject();
    }
}
