using Polygraph.Node.Control;
using Polygraph.Node.Http;
using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Control;

/// <summary>Only a copy that is known to be the wrong one is thrown away.</summary>
public sealed class VerificationComparisonTests
{
    private static readonly NodeId Leader = new("n1");

    [Fact]
    public void Without_a_majority_a_table_whose_digest_nobody_keeps_is_reported_and_nobody_is_called_wrong()
    {
        var (report, wrong) = Compare(Found("n1", ("t", "aa", "aa"), ("fts", "11", null)), Found("n2", ("t", "aa", "aa"), ("fts", "22", null)), Away("n3"));

        Assert.False(report.Equal);
        Assert.Empty(wrong);
        foreach (var replica in report.Replicas.Take(2))
        {
            Assert.False(replica.Equal);
            Assert.Contains("fts", replica.Reason, StringComparison.Ordinal);
            Assert.Contains("no majority", replica.Reason, StringComparison.Ordinal);
            Assert.Equal([false, true], replica.Tables.Select(table => table.Equal));
        }
    }

    [Fact]
    public void A_majority_tells_whose_index_is_wrong_although_it_is_the_leaders()
    {
        var (_, wrong) = Compare(Found("n1", ("fts", "11", null)), Found("n2", ("fts", "22", null)), Found("n3", ("fts", "22", null)));
        Assert.Equal((Leader, "fts"), (Assert.Single(wrong).Node, wrong[0].Table));
    }

    [Fact]
    public void What_the_log_keeps_tells_whose_rows_are_wrong_although_a_node_is_away()
    {
        var (_, wrong) = Compare(Found("n1", ("t", "bb", "aa"), ("fts", "11", null)), Found("n2", ("t", "aa", "aa"), ("fts", "22", null)), Away("n3"));
        Assert.Equal((Leader, "t"), (Assert.Single(wrong).Node, wrong[0].Table));
    }

    [Fact]
    public void A_table_that_only_one_of_three_lacks_is_missing_there()
    {
        var (report, wrong) = Compare(Found("n1", ("t", "aa", "aa"), ("u", "bb", "bb")), Found("n2", ("t", "aa", "aa")), Found("n3", ("t", "aa", "aa"), ("u", "bb", "bb")));
        Assert.Equal(new NodeId("n2"), Assert.Single(wrong).Node);
        Assert.Equal("lacks u", report.Replicas[1].Reason);
    }

    [Fact]
    public void Replicas_that_agree_are_equal_and_one_that_did_not_answer_is_not_wrong()
    {
        var (report, wrong) = Compare(Found("n1", ("t", "aa", "aa"), ("fts", "11", null)), Found("n2", ("t", "aa", "aa"), ("fts", "11", null)), Away("n3"));
        Assert.Equal([true, true, false], report.Replicas.Select(replica => replica.Equal));
        Assert.Empty(wrong);
    }

    private static (VerificationReport Report, IReadOnlyList<WrongReplica> Wrong) Compare(params ReplicaVerification[] found)
        => VerificationComparison.Compare("main", 1, 7, Leader, found);

    private static ReplicaVerification Found(string node, params (string Table, string Digest, string? Kept)[] tables)
        => new(node, true, [.. tables.Select(table => new TableVerification(table.Table, 1, table.Digest, table.Kept, table.Kept is null || table.Kept == table.Digest))], null);

    private static ReplicaVerification Away(string node) => new(node, false, [], "did not answer");
}
