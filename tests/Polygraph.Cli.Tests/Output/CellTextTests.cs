using System.Text.Json;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Tests.Output;

public sealed class CellTextTests
{
    [Theory]
    [InlineData("null", "NULL")]
    [InlineData("\"NULL\"", "NULL")]
    [InlineData("1", "1")]
    [InlineData("1.0", "1.0")]
    [InlineData("\"a\\nb\"", "a\nb")]
    [InlineData("\"\\u001b[31mred\"", "␛[31mred")]
    [InlineData("\"\\u007f\"", "␡")]
    [InlineData("{\"base64\":\"AAH/\"}", "x'0001ff'")]
    [InlineData("{\"base64\":\"\"}", "x''")]
    [InlineData("{\"integer\":\"9223372036854775807\"}", "9223372036854775807")]
    [InlineData("{\"real\":\"-Infinity\"}", "-Infinity")]
    public void Values_read_as_SQLite_has_them(string json, string shown) => Assert.Equal(shown, CellText.Plain(Parse(json)));

    [Fact]
    public void A_NULL_is_not_drawn_as_the_text_NULL() => Assert.NotEqual(CellText.Markup(Parse("null")), CellText.Markup(Parse("\"NULL\"")));

    [Fact]
    public void What_looks_like_markup_is_shown_as_it_is() => Assert.Equal("[[red]]x", CellText.Markup(Parse("\"[red]x\"")));

    [Fact]
    public void A_long_blob_is_cut_and_its_length_said()
    {
        var shown = CellText.Plain(Parse($"{{\"base64\":\"{Convert.ToBase64String(new byte[100])}\"}}"));

        Assert.Equal($"x'{new string('0', 64)}…' (100 bytes)", shown);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("{\"integer\":\"9007199254740993\"}", true)]
    [InlineData("{\"real\":\"Infinity\"}", true)]
    [InlineData("\"1\"", false)]
    [InlineData("null", false)]
    [InlineData("{\"base64\":\"\"}", false)]
    public void Numbers_are_told_from_texts(string json, bool isNumber) => Assert.Equal(isNumber, CellText.IsNumber(Parse(json)));

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
