using Polygraph.Nemesis.Api;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis.Tests.Running;

public sealed class ReceiptRulesTests
{
    [Theory]
    [InlineData("async", "n1", false, true)]
    [InlineData("semi-sync", "n1,n2", false, true)]
    [InlineData("semi-sync", "n1", false, false)]
    [InlineData("semi-sync", "n1", true, true)]
    [InlineData("quorum; timeout=500ms", "n1,n3", false, true)]
    [InlineData("quorum", "n1", false, false)]
    [InlineData("quorum", "n1,n1", false, false)]
    [InlineData("quorum", "n1,n2", true, false)]
    [InlineData("all+applied; timeout=1s", "n1,n2,n3", false, true)]
    [InlineData("all", "n1,n2", false, false)]
    public void A_receipt_names_as_many_copies_as_its_level_asks_for(string ack, string ackedBy, bool degraded, bool holds)
        => Assert.Equal(holds, ReceiptRules.Complaint(ack, new WriteReceipt(1, 2, "", ackedBy.Split(','), degraded), nodes: 3) is null);

    [Theory]
    [InlineData("any", null, "any", null, null, true)]
    [InlineData("linearizable", null, "any", null, null, false)]
    [InlineData("linearizable", null, "any", null, "reason", true)]
    [InlineData("bounded", "500ms", "bounded", 499.5, null, true)]
    [InlineData("bounded", "500ms", "bounded", 501.0, null, false)]
    [InlineData("bounded", "500ms", "bounded", null, null, false)]
    [InlineData("bounded", "500ms", "linearizable", null, "too stale", true)]
    public void A_read_is_labelled_with_what_was_asked_for_or_says_why_not(string level, string? bound, string label, double? staleness, string? fallback, bool holds)
        => Assert.Equal(holds, ReceiptRules.Complaint(level, bound, new ReadLabel("n1", 1, 2, label, staleness, fallback), TimeSpan.Zero) is null);

    [Fact]
    public void The_time_that_an_answer_took_does_not_count_against_its_bound()
        => Assert.Null(ReceiptRules.Complaint("bounded", "500ms", new ReadLabel("n1", 1, 2, "bounded", 700.0, null), TimeSpan.FromMilliseconds(250)));
}
