using System.Text.Json;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Tests.Api;

/// <summary>What a client may conclude. Whatever is not in the table is doubt.</summary>
public sealed class ClassificationTests
{
    private const string Receipt = """{"database":"main","term":3,"index":42,"ackRequested":"quorum","ackAchieved":"quorum","ackedBy":["n1","n2"],"degraded":false,"waitMicroseconds":1}""";

    private static readonly SqlCall Write = new([new Statement("INSERT INTO t VALUES(1)")], Writes: true) { Ack = "quorum" };
    private static readonly SqlCall Read = new([new Statement("SELECT 1")], Writes: false);

    [Theory]
    [InlineData(200, """{"results":[],"receipt":RECEIPT}""", "Ok", "Ok")]
    [InlineData(503, """{"code":"NO_LEADER","outcome":"notApplied"}""", "Fail", "Fail")]
    [InlineData(504, """{"code":"ACK_TIMEOUT","outcome":"unknown","receipt":RECEIPT}""", "Info", "Fail")]
    [InlineData(504, """{"code":"ACK_TIMEOUT","outcome":"applied","receipt":RECEIPT}""", "Ok", "Fail")]
    [InlineData(504, """{"code":"ACK_TIMEOUT","outcome":"applied","receipt":null}""", "Info", "Fail")]
    [InlineData(409, """{"code":"IDEMPOTENCY_KEY_EXPIRED","outcome":"unknown"}""", "Info", "Fail")]
    [InlineData(400, """{"code":"SQLITE_CONSTRAINT","outcome":"notApplied"}""", "Fail", "Fail")]
    [InlineData(500, """{"code":"INTERNAL_ERROR","outcome":"unknown"}""", "Info", "Fail")]
    [InlineData(500, """{"code":"SOMETHING_NEW"}""", "Info", "Fail")]
    [InlineData(502, "null", "Info", "Fail")]
    [InlineData(201, "{}", "Info", "Fail")]
    public void An_answer_says_no_more_than_it_says(int status, string body, string write, string read)
    {
        var answer = Answer(status, body);
        Assert.Equal(write, Classification.Of(answer, Write).Certainty.ToString());
        Assert.Equal(read, Classification.Of(answer, Read).Certainty.ToString());
    }

    [Fact]
    public void Without_an_answer_a_write_is_in_doubt_and_a_read_has_no_effect()
    {
        Assert.Equal((Certainty.Info, "TIMEOUT"), Classification.Of(new Exchange.NoAnswer("TIMEOUT"), Write));
        Assert.Equal((Certainty.Fail, "TIMEOUT"), Classification.Of(new Exchange.NoAnswer("TIMEOUT"), Read));
    }

    [Fact]
    public void Nothing_was_done_by_what_was_never_sent()
        => Assert.Equal(Certainty.Fail, Classification.Of(new Exchange.NotSent("NOT_CONNECTED"), Write).Certainty);

    [Fact]
    public void A_degraded_write_is_promised_to_stay_no_more_than_an_asynchronous_one()
    {
        var degraded = Answer(200, """{"results":[],"receipt":RECEIPT}""".Replace("RECEIPT", Receipt.Replace("\"degraded\":false", "\"degraded\":true", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Equal((Certainty.Info, "DEGRADED"), Classification.Of(degraded, Write));
    }

    [Theory]
    [InlineData("Info", "Fail", "Info")]
    [InlineData("Info", "Ok", "Ok")]
    [InlineData("Info", "Info", "Info")]
    [InlineData("Fail", "Fail", "Fail")]
    [InlineData("Fail", "Info", "Info")]
    [InlineData("Fail", "Ok", "Ok")]
    public void Doubt_of_an_earlier_attempt_ends_with_a_success_only(string earlier, string last, string known)
        => Assert.Equal(known, Classification.After(Enum.Parse<Certainty>(earlier), Enum.Parse<Certainty>(last)).ToString());

    private static Exchange.Answered Answer(int status, string body)
        => new(status, JsonElement.Parse(body.Replace("RECEIPT", Receipt, StringComparison.Ordinal)), null, "n1");
}
