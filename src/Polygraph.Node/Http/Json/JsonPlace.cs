using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Polygraph.Node.Http;

/// <summary>
/// Where in a JSON text something stands, as people write it: <c>statements[2].args[0]</c>. Found by reading the text again, so that a
/// request without a fault pays nothing for it.
/// </summary>
internal static class JsonPlace
{
    private const int NameLengthMax = 64;

    /// <summary>The path of the token that begins at <paramref name="offset"/>, or of the last one before it; empty for the root.</summary>
    public static string Of(ReadOnlySpan<byte> json, long offset, int depthMax)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = depthMax });
        var path = new Stack<Step>();
        try
        {
            while (reader.Read() && reader.TokenStartIndex <= offset)
                Follow(ref reader, path);
        }
        catch (JsonException)
        {
            // The text is broken behind what was understood: that is as far as a path can lead.
        }

        return Write(path);
    }

    private static void Follow(ref Utf8JsonReader reader, Stack<Step> path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                path.Pop();
                path.Push(new Step(IsArray: false, NameOf(ref reader), Index: 0));
                break;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                path.Pop();
                break;
            default:
                if (path.TryPop(out var parent))
                    path.Push(parent with { Index = parent.Index + 1 });
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    path.Push(new Step(reader.TokenType == JsonTokenType.StartArray, Name: null, Index: -1));
                break;
        }
    }

    // A name may be any text at all, even one that cannot be decoded; it goes into a message, so it is shortened.
    private static string NameOf(ref Utf8JsonReader reader)
    {
        var name = Encoding.UTF8.GetString(reader.ValueSpan);
        return name.Length <= NameLengthMax ? name : name[..NameLengthMax] + "…";
    }

    private static string Write(Stack<Step> path)
    {
        var text = new StringBuilder();
        foreach (var step in path.Reverse())
        {
            if (step.IsArray && step.Index >= 0)
                text.Append(CultureInfo.InvariantCulture, $"[{step.Index}]");
            else if (step.Name is not null)
                text.Append(text.Length == 0 ? "" : ".").Append(step.Name);
        }

        return text.ToString();
    }

    private readonly record struct Step(bool IsArray, string? Name, int Index);
}
