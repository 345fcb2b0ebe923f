using System.Text;
using System.Text.Json;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Tests.Histories;

public sealed class HistoryFileTests
{
    private const string Header = """{"format":"polygraph-history","version":1,"workload":"register"}""" + "\n";

    private const string Line = """{"client":1,"op":"write","key":"k","in":5,"out":null,"type":"ok","start_ns":1,"end_ns":2}""" + "\n";

    [Fact]
    public void What_is_written_is_read_again()
    {
        var header = new HistoryHeader
        {
            Workload = Workload.Bank,
            AckLevel = "all",
            ReadLevel = "any",
            Seed = 9,
            Faults = ["kill", "pause"],
            IsLeaderChangeMeant = true,
            Accounts = new Dictionary<string, long> { ["a"] = 3, ["b"] = -1 },
            Notes = new Dictionary<string, JsonElement> { ["commit"] = JsonElement.Parse("\"c7b1c72\"") },
        };
        Operation[] operations =
        [
            new()
            {
                Client = 3, Kind = OperationKind.Transfer, In = Value.MapOf(("from", "a"), ("to", "b"), ("amount", 2)), Type = OperationType.Info,
                StartNanoseconds = 10, Node = 2, Error = "TIMEOUT „ä“",
            },
            new()
            {
                Client = 4, Kind = OperationKind.Read, Out = Value.MapOf(("a", 1), ("b", 1)), Type = OperationType.Ok, StartNanoseconds = 11,
                EndNanoseconds = 12, IsFinal = true, Session = "s", Position = new LogPosition(3, 42),
            },
            new()
            {
                Client = 5, Kind = OperationKind.Txn, Key = "k", In = Value.ListOf(Value.ListOf("append", "x", 1), Value.ListOf("r", "y", Value.Null)),
                Out = Value.ListOf(Value.ListOf("append", "x", 1), Value.ListOf("r", "y", Value.ListOf([7L, 8L]))), Type = OperationType.Ok,
                StartNanoseconds = 13, EndNanoseconds = 13,
            },
        ];
        HistoryEvent[] events =
        [
            new HistoryEvent.Leader(1, 5) { AtNanoseconds = 1 }, new HistoryEvent.Fault("kill", 1) { AtNanoseconds = 2 },
            new HistoryEvent.Heal("loss", null) { AtNanoseconds = 3 }, new HistoryEvent.Leader(2, 6) { AtNanoseconds = 4 },
        ];

        var stream = new MemoryStream();
        using (var writer = new HistoryWriter(stream, header))
        {
            foreach (var happened in events)
                writer.Write(happened);
            foreach (var operation in operations)
                writer.Write(operation);
            writer.WriteEnd(99);
        }

        var read = History.Load(new MemoryStream(stream.ToArray()));

        Assert.Equal(operations, read.Operations);
        Assert.Equal([.. events, new HistoryEvent.End { AtNanoseconds = 99 }], read.Events);
        Assert.Equal(header with { Faults = [], Accounts = read.Header.Accounts, Notes = read.Header.Notes }, read.Header with { Faults = [] });
        Assert.Equal(header.Faults, read.Header.Faults);
        Assert.Equal(header.Accounts, read.Header.Accounts);
        Assert.Equal("c7b1c72", read.Header.Notes["commit"].GetString());
        Assert.Equal(1, read.LeaderChanges);
        Assert.False(read.IsCut);
    }

    [Fact]
    public void Bytes_of_the_format_are_golden()
    {
        var stream = new MemoryStream();
        using (var writer = new HistoryWriter(stream, new HistoryHeader { Workload = Workload.ListAppend, Faults = ["kill"] }))
        {
            writer.Write(new Operation { Client = 1, Kind = OperationKind.Write, Key = "k", In = 5, Type = OperationType.Info, StartNanoseconds = 1, Position = new(2, 3) });
            writer.Write(new HistoryEvent.Fault("loss", null) { AtNanoseconds = 4 });
        }

        Assert.Equal(
            """
            {"format":"polygraph-history","version":1,"workload":"list-append","faults":["kill"]}
            {"client":1,"op":"write","key":"k","in":5,"out":null,"type":"info","start_ns":1,"end_ns":null,"position":[2,3]}
            {"event":"fault","kind":"loss","target":null,"at_ns":4}

            """,
            Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Fact]
    public void A_file_cut_at_any_byte_is_read_up_to_its_last_whole_line()
    {
        var text = Header + Line + Line + Line;
        for (var length = Header.Length; length < text.Length; length++)
        {
            var history = Load(text[..length]);
            // A line that lacks nothing but its line feed is whole.
            Assert.Equal((length - Header.Length + 1) / Line.Length, history.Operations.Count);
            Assert.True(history.IsCut);
        }
    }

    [Fact]
    public void A_line_longer_than_the_buffer_is_read()
    {
        var elements = Enumerable.Range(0, 100_000).Select(number => (long)number);
        var stream = new MemoryStream();
        using (var writer = new HistoryWriter(stream, new HistoryHeader { Workload = Workload.Set }))
            for (var i = 0; i < 3; i++)
                writer.Write(new Operation { Client = i, Kind = OperationKind.Read, Out = Value.ListOf(elements), Type = OperationType.Ok, StartNanoseconds = 1, EndNanoseconds = 2 });

        var history = History.Load(new MemoryStream(stream.ToArray()));

        Assert.All(history.Operations, operation => Assert.Equal(Value.ListOf(elements), operation.Out));
        Assert.Equal([0, 1, 2], history.Operations.Select(operation => operation.Client));
    }

    [Theory]
    [InlineData("""{"client":1,"op":"wri""", "no JSON object")]
    [InlineData("[1]", "a line is a JSON object")]
    [InlineData("""{"op":"write","key":"k","in":5,"type":"ok","start_ns":1,"end_ns":2}""", "\"client\" is missing")]
    [InlineData("""{"client":1,"op":"wrote","key":"k","in":5,"type":"ok","start_ns":1,"end_ns":2}""", "\"op\" is one of")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":5,"type":"good","start_ns":1,"end_ns":2}""", "\"type\" is one of")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":5,"type":"ok","end_ns":2}""", "\"start_ns\" is missing")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":5,"type":"ok","start_ns":1}""", "only an operation of type info")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":5,"type":"ok","start_ns":3,"end_ns":2}""", "ended before it began")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":null,"type":"ok","start_ns":1,"end_ns":2}""", "a write has a number or text")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":1.5,"type":"ok","start_ns":1,"end_ns":2}""", "numbers are whole")]
    [InlineData("""{"client":1,"op":"write","key":"k","in":true,"type":"ok","start_ns":1,"end_ns":2}""", "values are null")]
    [InlineData("""{"client":1,"op":"cas","key":"k","in":[1],"type":"ok","start_ns":1,"end_ns":2}""", "a cas has [expected, new]")]
    [InlineData("""{"client":1,"op":"transfer","in":{"from":"a","to":"b","amount":0},"type":"ok","start_ns":1,"end_ns":2}""", "a transfer has")]
    [InlineData("""{"client":1,"op":"txn","in":[["append","x",1]],"out":[],"type":"ok","start_ns":1,"end_ns":2}""", "a txn that is ok")]
    [InlineData("""{"client":1,"op":"txn","in":[["put","x",1]],"out":null,"type":"info","start_ns":1,"end_ns":2}""", "a txn has a list")]
    [InlineData("""{"client":1,"op":"read","key":"k","type":"ok","start_ns":1,"end_ns":2,"position":[1]}""", "a \"position\" is [term, index]")]
    [InlineData("""{"client":1000000000000000000,"op":"read","key":"k","type":"ok","start_ns":1,"end_ns":2}""", "\"client\" is a number of 32 bits, and not 1000000000000000000")]
    [InlineData("""{"client":1,"op":"read","key":"k","type":"ok","start_ns":1,"end_ns":2,"node":2147483648}""", "\"node\" is a number of 32 bits")]
    [InlineData("""{"event":"leader","node":-2147483649,"term":2,"at_ns":2}""", "\"node\" is a number of 32 bits")]
    [InlineData("""{"event":"heal","kind":"kill","target":4294967297,"at_ns":2}""", "\"target\" is a number of 32 bits")]
    [InlineData("""{"event":"lunch","at_ns":2}""", "there is no event \"lunch\"")]
    [InlineData("""{"event":"leader","term":2,"at_ns":2}""", "\"node\" is missing")]
    public void A_line_that_is_not_of_the_format_is_refused_by_its_number(string line, string complaint)
    {
        var refused = Assert.Throws<MalformedHistoryException>(() => Load(Header + Line + line + "\n" + Line));

        Assert.Equal(3, refused.Line);
        Assert.Contains("line 3: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("""{"format":"polygraph-hist""", "the header is torn")]
    [InlineData("""{"format":"other","version":1,"workload":"register"}""" + "\n", "the header must say")]
    [InlineData("""{"format":"polygraph-history","version":2,"workload":"register"}""" + "\n", "only version 1")]
    [InlineData("""{"format":"polygraph-history","version":1,"workload":"queue"}""" + "\n", "\"workload\" is one of")]
    [InlineData("""{"format":"polygraph-history","version":1}""" + "\n", "\"workload\" is one of")]
    public void A_header_that_is_none_is_refused(string text, string complaint)
    {
        var refused = Assert.Throws<MalformedHistoryException>(() => Load(text));

        Assert.Equal(1, refused.Line);
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_of_many_threads_stay_whole()
    {
        var stream = new MemoryStream();
        using (var writer = new HistoryWriter(stream, new HistoryHeader { Workload = Workload.Register }))
            Parallel.For(0, 1000, i => writer.Write(new Operation { Client = i, Kind = OperationKind.Read, Key = "k", Type = OperationType.Ok, StartNanoseconds = i, EndNanoseconds = i }));

        Assert.Equal(Enumerable.Range(0, 1000), History.Load(new MemoryStream(stream.ToArray())).Operations.Select(operation => operation.Client).Order());
    }

    private static History Load(string text) => History.Load(new MemoryStream(Encoding.UTF8.GetBytes(text)));
}
