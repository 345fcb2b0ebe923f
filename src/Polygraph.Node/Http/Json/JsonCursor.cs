using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Polygraph.Node.Http;

/// <summary>
/// Reads a JSON body token by token, straight from the received bytes, and refuses what is not expected with the place where it stands.
/// Nothing that it returns points into the body, which lives in a pooled buffer.
/// </summary>
internal ref struct JsonCursor
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly int _depthMax;
    private Utf8JsonReader _reader;

    /// <summary>A cursor that stands on the body's first token.</summary>
    public JsonCursor(ReadOnlySpan<byte> body, int depthMax)
    {
        if (!Utf8.IsValid(body))
            throw Refusals.Body("The body is not valid UTF-8.");

        _body = body;
        _depthMax = depthMax;
        _reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = depthMax });
        if (body.IsEmpty)
            throw Refusals.Body("The body is empty: send a JSON object.");
        Next();
    }

    public readonly JsonTokenType Token => _reader.TokenType;

    /// <summary>The raw bytes of the current number.</summary>
    public readonly ReadOnlySpan<byte> NumberText => _reader.ValueSpan;

    /// <summary>Goes to the next token; a text that ends or is no JSON is refused.</summary>
    public void Next()
    {
        try
        {
            if (!_reader.Read())
                throw Refuse("the body ends too early");
        }
        catch (JsonException fault)
        {
            throw Broken(fault);
        }
    }

    /// <summary>Goes into the object that the cursor stands on.</summary>
    public void EnterObject(string what)
    {
        if (Token != JsonTokenType.StartObject)
            throw Refuse($"{what} must be an object, not {Describe(Token)}");
    }

    /// <summary>Goes to the next property's name; false at the end of the object.</summary>
    public bool NextProperty()
    {
        Next();
        return Token == JsonTokenType.PropertyName;
    }

    /// <summary>Whether the property that the cursor stands on has this name.</summary>
    public readonly bool NameIs(ReadOnlySpan<byte> name)
    {
        try
        {
            return _reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            throw Refuse("a field's name holds half of a surrogate pair, which is no character");
        }
    }

    /// <summary>Goes from a property's name to its value, and refuses a property that was there before.</summary>
    public void EnterValue(ref bool seen)
    {
        if (seen)
            throw Refuse("this field stands there twice");
        seen = true;
        Next();
    }

    /// <summary>Goes into the array that the cursor stands on.</summary>
    public readonly void EnterArray(string what)
    {
        if (Token != JsonTokenType.StartArray)
            throw Refuse($"{what} must be an array, not {Describe(Token)}");
    }

    /// <summary>Goes to the array's next item; false at its end.</summary>
    public bool NextItem()
    {
        Next();
        return Token != JsonTokenType.EndArray;
    }

    /// <summary>Passes over the value of the property that the cursor stands on.</summary>
    public void SkipValue()
    {
        Next();
        try
        {
            if (!_reader.TrySkip())
                throw Refuse("the body ends too early");
        }
        catch (JsonException fault)
        {
            throw Broken(fault);
        }
    }

    /// <summary>Refuses anything that follows the root value.</summary>
    public void ExpectEnd()
    {
        try
        {
            if (_reader.Read())
                throw Refusals.Body("Something follows the end of the JSON object.");
        }
        catch (JsonException)
        {
            throw Refusals.Body("Something follows the end of the JSON object.");
        }
    }

    /// <summary>The string that the cursor stands on, or the name of a property.</summary>
    public readonly string ReadString(string what)
    {
        ExpectString(what);
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Refuse($"{what} holds half of a surrogate pair, which is no character");
        }
    }

    /// <summary>The UTF-8 bytes of the string that the cursor stands on.</summary>
    public readonly byte[] ReadUtf8(string what)
    {
        ExpectString(what);
        if (!_reader.ValueIsEscaped)
            return _reader.ValueSpan.ToArray();

        var rented = ArrayPool<byte>.Shared.Rent(_reader.ValueSpan.Length);
        try
        {
            return rented.AsSpan(0, _reader.CopyString(rented)).ToArray();
        }
        catch (InvalidOperationException)
        {
            throw Refuse($"{what} holds half of a surrogate pair, which is no character");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The bytes that the string on which the cursor stands says in base64, with or without padding.</summary>
    public readonly byte[] ReadBase64(string what)
    {
        var text = ReadUtf8(what);
        var padding = (4 - (text.Length % 4)) % 4;
        if (padding is 1 or 2)
            text = [.. text, .. "=="u8[..padding]];

        var length = Base64.IsValid(text, out var decodedLength) && padding != 3 ? decodedLength : -1;
        if (length < 0)
            throw Refuse($"{what} is not base64");
        var bytes = new byte[length];
        Base64.DecodeFromUtf8(text, bytes, out _, out _);
        return bytes;
    }

    public readonly bool TryGetInt64(out long value) => _reader.TryGetInt64(out value);

    public readonly bool TryGetDouble(out double value) => _reader.TryGetDouble(out value);

    /// <summary>A refusal that names the place where the cursor stands.</summary>
    public readonly RequestRefusedException Refuse(string fault)
    {
        var place = JsonPlace.Of(_body, _reader.TokenStartIndex, _depthMax);
        return Refusals.Body(place.Length == 0 ? $"In the body: {fault}." : $"{place}: {fault}.");
    }

    public static string Describe(JsonTokenType token)
        => token switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => "a string",
            JsonTokenType.Number => "a number",
            JsonTokenType.True or JsonTokenType.False => "a boolean",
            JsonTokenType.Null => "null",
            _ => "nothing",
        };

    private readonly void ExpectString(string what)
    {
        if (Token is not (JsonTokenType.String or JsonTokenType.PropertyName))
            throw Refuse($"{what} must be a string, not {Describe(Token)}");
    }

    private readonly RequestRefusedException Broken(JsonException fault)
    {
        var place = JsonPlace.Of(_body, _reader.BytesConsumed, _depthMax);
        var near = place.Length == 0 ? "" : $" (near {place})";
        return Refusals.Body(
            $"The body is not valid JSON at line {fault.LineNumber + 1}, byte {fault.BytePositionInLine + 1}{near}: {fault.Message}");
    }
}
