using System.Globalization;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Workloads;

/// <summary>
/// Transactions of several statements in one request, which append to lists and read them. A list is a text that grows, so that an append reads what
/// it writes after, and a read gives the whole order (Kingsbury and Alvaro, "Elle", VLDB 2020).
/// </summary>
internal sealed class ListAppendWorkload : IWorkload
{
    private const int ActiveKeys = 6;

    private const int UsesMax = 150;

    private const int StepsMax = 4;

    private readonly KeyRing _keys = new(ActiveKeys, UsesMax);

    public Workload Kind => Workload.ListAppend;

    public IReadOnlyList<Statement> Schema => [new("CREATE TABLE lists(k TEXT PRIMARY KEY, v TEXT NOT NULL)")];

    public Step Next(Dice dice, Levels levels)
    {
        var readsOnly = dice.Chance(45);
        var parts = new List<Part>();
        for (var left = dice.Between(1, StepsMax); left > 0; left--)
        {
            var (key, use) = _keys.Take(dice);
            parts.Add(new Part(key, readsOnly || dice.Chance(40) ? null : use));
        }

        return Transaction(parts, levels.Ack, levels.Read, levels.MaxStaleness);
    }

    public IEnumerable<Step> FinalReads(string readLevel)
        => _keys.All.Chunk(StepsMax).Select(keys => Transaction([.. keys.Select(key => new Part(key, null))], "quorum", readLevel, null));

    private static Step Transaction(IReadOnlyList<Part> parts, string ack, string read, string? maxStaleness)
    {
        var writes = parts.Any(part => part.Element is not null);
        return new Step(
            OperationKind.Txn,
            null,
            parts.Select(part => part.In).ToArray(),
            new SqlCall([.. parts.Select(part => part.Statement)], writes)
            {
                Ack = writes ? ack : null,
                Read = writes ? null : read,
                MaxStaleness = writes ? null : maxStaleness,
            })
        {
            MayBeRepeated = parts.All(part => part.Element is not null),
            Untold = StepResult.Gave(parts.Select(part => part.In).ToArray()),
            Interpret = answer => Read(parts, answer),
        };
    }

    // Without the rows of its reads it is not known what the transaction saw.
    private static StepResult Read(IReadOnlyList<Part> parts, Exchange.Answered answer)
        => parts.Where((part, i) => part.Element is null && !answer.HasRows(i)).Any()
            ? new StepResult(Certainty.Info, Value.Null)
            : StepResult.Gave(parts.Select((part, i) => part.Element is null ? part.Out(ListIn(answer, i)) : part.In).ToArray());

    private static Value ListIn(Exchange.Answered answer, int statement)
        => answer.Rows(statement) is [var row]
            ? Value.ListOf(row[0].GetString()!.Split(',').Select(element => long.Parse(element, CultureInfo.InvariantCulture)))
            : Value.ListOf();

    /// <summary>One step of a transaction: an append, or a read if there is no element.</summary>
    private readonly record struct Part(string Key, int? Element)
    {
        public Value In => Element is { } element ? Value.ListOf("append", Key, element) : Out(Value.Null);

        public Statement Statement => Element is { } element
            ? new("INSERT INTO lists(k, v) VALUES(?, ?) ON CONFLICT(k) DO UPDATE SET v = v || ',' || excluded.v", Key, element.ToString(CultureInfo.InvariantCulture))
            : new("SELECT v FROM lists WHERE k = ?", Key);

        public Value Out(Value list) => Value.ListOf("r", Key, list);
    }
}
