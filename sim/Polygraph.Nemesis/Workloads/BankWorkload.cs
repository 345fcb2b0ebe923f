using System.Globalization;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Workloads;

/// <summary>
/// Transfers between accounts, each a request of two statements. The credit comes first: a debit that the account does not cover fails, and takes
/// the credit back.
/// </summary>
internal sealed class BankWorkload : IWorkload
{
    private const int AccountCount = 8;

    private const int BalanceAtFirst = 100;

    private const int AmountMax = 40;

    private static readonly string[] Names = [.. Enumerable.Range(0, AccountCount).Select(number => "a" + number.ToString(CultureInfo.InvariantCulture))];

    public Workload Kind => Workload.Bank;

    public IReadOnlyList<Statement> Schema =>
    [
        new("CREATE TABLE accounts(id TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK(balance >= 0))"),
        .. Names.Select(name => new Statement("INSERT INTO accounts VALUES(?, ?)", name, BalanceAtFirst)),
    ];

    public IReadOnlyDictionary<string, long> Accounts => Names.ToDictionary(name => name, _ => (long)BalanceAtFirst);

    public Step Next(Dice dice, Levels levels)
        => dice.Chance(50) ? Read(levels.Read, levels.MaxStaleness) : Transfer(dice.Shuffled(Names), dice.Between(1, AmountMax), levels.Ack);

    public IEnumerable<Step> FinalReads(string readLevel) => [Read(readLevel, null)];

    private static Step Read(string level, string? maxStaleness)
        => new(
            OperationKind.Read,
            null,
            Value.Null,
            new SqlCall([new("SELECT id, balance FROM accounts ORDER BY id")], Writes: false) { Read = level, MaxStaleness = maxStaleness })
        {
            Interpret = answer => StepResult.Gave(Value.MapOf(answer.Rows(0).Select(row => KeyValuePair.Create(row[0].GetString()!, (Value)row[1].GetInt64())))),
        };

    private static Step Transfer(List<string> names, int amount, string ack)
        => new(
            OperationKind.Transfer,
            null,
            Value.MapOf(("from", names[0]), ("to", names[1]), ("amount", amount)),
            new SqlCall(
                [
                    new("UPDATE accounts SET balance = balance + ? WHERE id = ?", amount, names[1]),
                    new("UPDATE accounts SET balance = balance - ? WHERE id = ?", amount, names[0]),
                ],
                Writes: true)
            { Ack = ack })
        {
            MayBeRepeated = true,
        };
}
