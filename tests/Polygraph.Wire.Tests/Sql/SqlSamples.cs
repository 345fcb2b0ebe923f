using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Tests.Sql;

/// <summary>One request and one response of each kind, with a different value in each field.</summary>
internal static class SqlSamples
{
    private static readonly SqlStatement Insert = new(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
        [
            new(null, SqlValue.FromInteger(-42)),
            new(null, SqlValue.FromReal(-0.0)),
            new(null, SqlValue.FromText("grün")),
            new(null, SqlValue.FromBlob(new byte[] { 0, 255 })),
            new(null, SqlValue.Null),
        ],
        WantRows: false);

    private static readonly SqlStatement Select = new("SELECT :a", [new(":a", SqlValue.FromInteger(long.MaxValue))]);

    private static readonly Receipt Receipt = new(
        new(new(3), new(900)), new(AckLevel.SemiSync, 2, true, TimeSpan.FromSeconds(5)), AckLevel.Async, [new("n1"), new("n2")], true,
        TimeSpan.FromMicroseconds(777));

    private static readonly StatementResult TwoRows = new(
        [new("id", "INTEGER"), new("name", null)],
        [[SqlValue.FromInteger(1), SqlValue.FromText("a")], [SqlValue.FromInteger(2), SqlValue.Null]],
        RowsAffected: 2,
        LastInsertRowid: -7);

    private static readonly SqlError Unique = new("SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.id", "SQLITE_CONSTRAINT_UNIQUE");

    public static readonly IReadOnlyDictionary<string, SqlRequest> Requests = new Dictionary<string, SqlRequest>
    {
        ["request-write"] = new(
            "main", new(UnitMode.Atomic, [new SqlStep.Execute(Insert)]), new AckPolicy(AckLevel.SemiSync, 2, true, TimeSpan.FromSeconds(1)),
            ReadOptions.Default, null, "key-1", "anonymous", TimeSpan.FromSeconds(10)),
        ["request-read"] = new(
            "reports", new(UnitMode.Autocommit, [new SqlStep.Execute(Select)]), null,
            new(ReadLevel.Bounded, TimeSpan.FromMilliseconds(500), 1000), "token", null, "alice", TimeSpan.FromSeconds(2)),
        ["request-every-step"] = new(
            "main",
            new(UnitMode.Autocommit,
            [
                new SqlStep.Batch([new(null, Insert), new(EveryCondition(), Select)]),
                new SqlStep.Sequence("CREATE TABLE a(x); CREATE TABLE b(y)"),
                new SqlStep.Describe("SELECT 1"),
                new SqlStep.GetAutocommit(),
            ]),
            null, ReadOptions.Default, null, null, "", TimeSpan.Zero),
    };

    public static readonly IReadOnlyDictionary<string, SqlResponse> Responses = new Dictionary<string, SqlResponse>
    {
        ["response-write"] = new(new([new StepResult.Rows(TwoRows)]), Receipt, null, "token", new("n1"), null),
        ["response-read"] = new(
            new([new StepResult.Rows(TwoRows)]), null,
            new(new("n2"), new(new(3), new(901)), ReadLevel.Session, TimeSpan.FromMilliseconds(12), "n3 was too far behind"), null, new("n2"), null),
        ["response-every-result"] = new(
            new(
            [
                new StepResult.Failed(Unique),
                new StepResult.Batch([TwoRows, null, null], [null, Unique, null]),
                new StepResult.Sequence(),
                new StepResult.Described(new([":a", null], [new("a", "TEXT")], false, true)),
                new StepResult.Autocommit(true),
                new StepResult.Rows(StatementResult.Empty),
            ]),
            null, null, null, new("n1"), null),
        ["response-problem"] = new(
            null, null, null, null, NodeId.None,
            new(504, "ACK_TIMEOUT", "The ack level was not reached in time", "n3 is missing.", Outcome.Applied, Receipt, [new("n3")], "key-1")),
    };

    private static BatchCondition EveryCondition()
        => new BatchCondition.Or(
        [
            new BatchCondition.And([new BatchCondition.Ok(0), new BatchCondition.Not(new BatchCondition.Error(0))]),
            new BatchCondition.IsAutocommit(),
        ]);
}
