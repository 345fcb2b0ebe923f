using System.Text;
using System.Text.Json;

namespace Polygraph.Cli.Output;

/// <summary>A value of the API as a person reads it.</summary>
public static class CellText
{
    /// <summary>A longer blob is cut, and its length said.</summary>
    private const int BlobBytesShown = 32;

    /// <summary>As markup: NULL cannot be mistaken for the text "NULL".</summary>
    public static string Markup(JsonElement value)
        => value.ValueKind switch
        {
            JsonValueKind.Null => "[grey italic]NULL[/]",
            JsonValueKind.Object when value.TryGetProperty("base64", out _) => $"[{Screen.Blob}]{Spectre.Console.Markup.Escape(Plain(value))}[/]",
            _ => Spectre.Console.Markup.Escape(Plain(value)),
        };

    /// <summary>Without colours.</summary>
    public static string Plain(JsonElement value)
        => value.ValueKind switch
        {
            JsonValueKind.Null => "NULL",
            JsonValueKind.String => WithoutControls(value.GetString()!),
            JsonValueKind.Object when value.TryGetProperty("base64", out var blob) => Blob(blob.GetBytesFromBase64()),
            JsonValueKind.Object when value.TryGetProperty("integer", out var integer) => integer.GetString()!,
            JsonValueKind.Object when value.TryGetProperty("real", out var real) => real.GetString()!,
            _ => value.GetRawText(),
        };

    public static bool IsNumber(JsonElement value)
        => value.ValueKind == JsonValueKind.Number
            || (value.ValueKind == JsonValueKind.Object && (value.TryGetProperty("integer", out _) || value.TryGetProperty("real", out _)));

    private static string Blob(byte[] bytes)
        => bytes.Length <= BlobBytesShown
            ? $"x'{Convert.ToHexStringLower(bytes)}'"
            : $"x'{Convert.ToHexStringLower(bytes.AsSpan(0, BlobBytesShown))}…' ({bytes.Length} bytes)";

    // A stored escape sequence must not reach the terminal; a line break stays one.
    private static string WithoutControls(string text)
    {
        if (!text.Any(char.IsControl))
            return text;

        var shown = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (character == '\n')
                shown.Append(character);
            else if (char.IsControl(character))
                shown.Append(character < ' ' ? (char)('\u2400' + character) : '\u2421');
            else
                shown.Append(character);
        }

        return shown.ToString();
    }
}
