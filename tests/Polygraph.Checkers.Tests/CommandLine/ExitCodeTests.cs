using Polygraph.Checkers.CommandLine;

namespace Polygraph.Checkers.Tests.CommandLine;

public sealed class ExitCodeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polygraph-checkers-").FullName;
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("register/good-chain-of-cas.jsonl", 0, "VALID register: 6 ops, 66.7 % ok, 16.7 % fail, 16.7 % info, 0 leader changes, 1 key, linearizable")]
    [InlineData("register/bad-stale-read.jsonl", 1, "INVALID register: 4 ops, 100.0 % ok, 0.0 % fail, 0.0 % info, 0 leader changes, 1 key: 1 stale read")]
    [InlineData("register/refused-mostly-unknown.jsonl", 3, "REFUSED register: 3 ops, 33.3 % ok, 0.0 % fail, 66.7 % info, 0 leader changes, 1 key, linearizable: less than 50 % of it is ok")]
    [InlineData("register/refused-without-leader-change.jsonl", 3, "the leader never changed, although that was meant")]
    [InlineData("register/cut-value-of-unknown-origin.jsonl", 4, "UNDECIDED register: 3 ops, 100.0 % ok, 0.0 % fail, 0.0 % info, 0 leader changes, cut, 1 key: the history is cut")]
    public void The_exit_code_and_the_first_line_say_the_verdict(string history, int code, string line)
    {
        Assert.Equal(code, Run("check", Path.Combine(AppContext.BaseDirectory, "Corpus", history), "--min-ops", "1"));
        Assert.Contains(line, _output.ToString().Split('\n')[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_that_is_too_small_is_refused()
    {
        Assert.Equal(3, Run("check", InCorpus("register/good-chain-of-cas.jsonl")));
        Assert.Contains("too small, 100 operations are the least", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_anomaly_counts_in_a_small_history_too() => Assert.Equal(1, Run("check", InCorpus("register/bad-stale-read.jsonl")));

    [Fact]
    public void A_witness_is_told_in_words()
    {
        Run("check", InCorpus("list-append/bad-g2-write-skew.jsonl"));

        Assert.Contains(
            "T1 read y without 1, which T2 appended; T2 read x without 2, which T1 appended. So none can be first.",
            _output.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_that_is_given_up_is_undecided_and_not_invalid()
    {
        var path = Generated("register");

        Assert.Equal(4, Run("check", path, "--work", "10"));
        Assert.Contains("was given up after", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Run("check", path));
    }

    [Theory]
    [InlineData("register")]
    [InlineData("set")]
    [InlineData("session")]
    [InlineData("prefix")]
    [InlineData("bank")]
    [InlineData("list-append")]
    public void What_is_generated_is_valid_also_when_its_tail_is_torn_off(string workload)
    {
        var path = Generated(workload);
        Assert.Equal(0, Run("check", path));

        // Final reads stand at the end: without them some checkers refuse, and none finds an anomaly.
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length * 9 / 10)]);
        Assert.NotEqual(1, Run("check", path));
        Assert.Contains(", cut", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_histories_the_worst_decides()
        => Assert.Equal(1, Run("check", InCorpus("set/good.jsonl"), InCorpus("set/bad-lost.jsonl"), InCorpus("set/refused-without-final-read.jsonl"), "--min-ops", "1"));

    [Theory]
    [InlineData("not json\n")]
    [InlineData("")]
    [InlineData("""{"format":"polygraph-history","version":1,"workload":"bank"}""" + "\n")]
    [InlineData("""{"format":"polygraph-history","version":1,"workload":"set"}""" + "\n" + """{"client":1,"op":"write","key":"k","in":5,"type":"ok","start_ns":1,"end_ns":2}""" + "\n")]
    public void A_file_that_is_no_history_ends_with_two(string text)
    {
        var path = Path.Combine(_folder, "history.jsonl");
        File.WriteAllText(path, text);

        Assert.Equal(2, Run("check", path));
        Assert.NotEmpty(_errors.ToString());
    }

    [Fact]
    public void A_value_that_is_written_twice_ends_with_two()
    {
        var path = Path.Combine(_folder, "history.jsonl");
        const string write = """{"client":1,"op":"write","key":"k","in":5,"type":"ok","start_ns":1,"end_ns":2}""" + "\n";
        File.WriteAllText(path, """{"format":"polygraph-history","version":1,"workload":"register"}""" + "\n" + write + write);

        Assert.Equal(2, Run("check", path));
        Assert.Contains("5 is written twice to k", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("check")]
    [InlineData("check", "x", "--min-ops")]
    [InlineData("check", "x", "--min-ops", "few")]
    [InlineData("check", "no-such-file.jsonl")]
    [InlineData("judge", "x")]
    [InlineData("generate", "register")]
    [InlineData("generate", "queue", "x")]
    [InlineData("generate", "register", "x", "--ops", "0")]
    [InlineData("mutations", "--histories", "none")]
    public void A_command_that_is_not_understood_ends_with_two(params string[] arguments)
    {
        Assert.Equal(2, Run(arguments));
        Assert.NotEmpty(_errors.ToString());
    }

    private static string InCorpus(string history) => Path.Combine(AppContext.BaseDirectory, "Corpus", history);

    private string Generated(string workload)
    {
        var path = Path.Combine(_folder, "generated.jsonl");
        Assert.Equal(0, Run("generate", workload, path, "--ops", "2000", "--seed", "5"));
        return path;
    }

    private int Run(params string[] arguments) => Execution.Run(arguments, _output, _errors);
}
