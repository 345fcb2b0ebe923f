using Polygraph.Nemesis.Results;

namespace Polygraph.Nemesis.Tests.Results;

public sealed class SumsTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    private static HistorySummary Passed
        => new("c0ffee", 3, 7, "set", "quorum+applied", "any", "Valid", IsAnomalous: false, IsProof: true, 1200, 700, 0, 3, 2, [new("kill", 2, 2, 1), new("pause", 1, 0, 0)]);

    [Fact]
    public void Files_are_added_up()
    {
        Passed.AppendTo(_path);
        (Passed with { Nodes = 5, Ack = "all", Read = "local" }).AppendTo(_path);
        var (code, text) = Print(_path, _path);
        Assert.Equal(0, code);
        Assert.Contains("4 histories (2 on 3 nodes, 2 on 5 nodes), 4,800 operations, 12 faults (8 seen to bite), 8 leader changes", text, StringComparison.Ordinal);
        Assert.Contains("kill           8 injected,     8 seen to bite,     4 changed the leader", text, StringComparison.Ordinal);
        Assert.Contains("acked writes lost at semi-sync, quorum and all: 0 of 2,800", text, StringComparison.Ordinal);
        Assert.EndsWith("4 passed, 0 failed, 0 proved nothing", text.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Operations_are_told_by_ack_level_and_read_level()
    {
        Passed.AppendTo(_path);
        (Passed with { Read = "linearizable" }).AppendTo(_path);
        Assert.Contains("quorum+applied            1,200            0            0        1,200            0", Print(_path).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void One_broken_promise_decides_and_what_proves_nothing_is_counted_apart()
    {
        (Passed with { IsProof = false, Verdict = "Undecided" }).AppendTo(_path);
        Assert.Equal(3, Print(_path).Code);
        Passed.AppendTo(_path);
        Assert.Equal(0, Print(_path).Code);
        (Passed with { IsProof = false, IsAnomalous = true, Verdict = "Invalid", Lost = 1 }).AppendTo(_path);
        var (code, text) = Print(_path);
        Assert.Equal(1, code);
        Assert.Contains("acked writes lost at semi-sync, quorum and all: 1 of 2,100", text, StringComparison.Ordinal);
        Assert.EndsWith("1 passed, 1 failed, 1 proved nothing", text.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("so many")]
    public void What_is_no_result_is_refused(string line)
    {
        Passed.AppendTo(_path);
        File.AppendAllLines(_path, [line]);
        using var errors = new StringWriter();
        Assert.Equal(2, Sums.Print([_path], TextWriter.Null, errors));
        Assert.Contains("line 2 is no result of a history", errors.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(_path);

    private static (int Code, string Text) Print(params string[] files)
    {
        using var output = new StringWriter();
        var code = Sums.Print(files, output, TextWriter.Null);
        return (code, output.ToString());
    }
}
