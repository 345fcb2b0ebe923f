using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>Requests and answers of every kind.</summary>
internal static class SqlDrawing
{
    public static SqlValue Value(Dice dice)
        => dice.Below(6) switch
        {
            0 => SqlValue.FromInteger(dice.Signed()),
            1 => SqlValue.FromReal(dice.Pick(0.0, -0.0, 1.5, double.NaN, double.PositiveInfinity, double.Epsilon, BitConverter.UInt64BitsToDouble(dice.Bits()))),
            2 => SqlValue.FromText(dice.Text()),
            3 => SqlValue.FromUtf8(dice.Bytes()),
            4 => SqlValue.FromBlob(dice.Bytes()),
            _ => SqlValue.Null,
        };

    public static SqlRequest Request(Dice dice)
        => new(
            dice.Text(60), new(dice.Pick(UnitMode.Atomic, UnitMode.Autocommit), dice.Many(() => Step(dice), 3, 40)), dice.Coin() ? Ack(dice) : null, Read(dice),
            dice.MaybeText(), dice.MaybeText(), dice.Text(), Duration(dice));

    public static SqlResponse Response(Dice dice)
        => new(
            dice.Chance(80) ? new UnitResult(dice.Many(() => StepResult(dice), 3, 40)) : null,
            dice.Coin() ? Receipt(dice) : null,
            dice.Coin() ? new ReadReport(new(dice.Name()), At(dice), dice.Pick(Enum.GetValues<ReadLevel>()), dice.Coin() ? Duration(dice) : null, dice.MaybeText()) : null,
            dice.MaybeText(),
            dice.Coin() ? new(dice.Name()) : NodeId.None,
            dice.Coin() ? Problem(dice) : null);

    public static Position At(Dice dice) => new(new(dice.Number() >> 2), new(dice.Number() >> 2));

    public static AckPolicy Ack(Dice dice) => new(dice.Pick(Enum.GetValues<AckLevel>()), dice.Below(129), dice.Coin(), Duration(dice));

    public static TimeSpan Duration(Dice dice) => new((long)(dice.Number() % (ulong)TimeSpan.FromDays(36_525).Ticks));

    public static BatchCondition Condition(Dice dice, int item, int depth = 0)
        => dice.Below(depth > 5 ? 3 : 6) switch
        {
            0 when item > 0 => new BatchCondition.Ok(dice.Below(item)),
            1 when item > 0 => new BatchCondition.Error(dice.Below(item)),
            3 => new BatchCondition.Not(Condition(dice, item, depth + 1)),
            4 => new BatchCondition.And(dice.Many(() => Condition(dice, item, depth + 1), 2, 5)),
            5 => new BatchCondition.Or(dice.Many(() => Condition(dice, item, depth + 1), 2, 5)),
            _ => new BatchCondition.IsAutocommit(),
        };

    public static StepResult StepResult(Dice dice)
        => dice.Below(6) switch
        {
            0 => new StepResult.Rows(Statement(dice)),
            1 => new StepResult.Failed(Error(dice)),
            2 => Batch(dice),
            3 => new StepResult.Sequence(),
            4 => new StepResult.Described(new(dice.Many(dice.MaybeText), dice.Many(() => new SqlColumn(dice.Text(), dice.MaybeText())), dice.Coin(), dice.Coin())),
            _ => new StepResult.Autocommit(dice.Coin()),
        };

    private static SqlStep Step(Dice dice)
    {
        switch (dice.Below(5))
        {
            case 0:
                var items = new BatchItem[dice.Count(4, 200)];
                for (var i = 0; i < items.Length; i++)
                    items[i] = new(dice.Coin() ? Condition(dice, i) : null, SqlStatement(dice));
                return new SqlStep.Batch(items);
            case 1:
                return new SqlStep.Sequence(dice.Text());
            case 2:
                return new SqlStep.Describe(dice.Text());
            case 3:
                return new SqlStep.GetAutocommit();
            default:
                return new SqlStep.Execute(SqlStatement(dice));
        }
    }

    private static SqlStatement SqlStatement(Dice dice)
        => new(dice.Text(), dice.Many(() => new SqlArgument(dice.MaybeText(), Value(dice)), 3, 1000), dice.Coin());

    private static StatementResult Statement(Dice dice)
    {
        var columns = dice.Many(() => new SqlColumn(dice.Text(), dice.MaybeText()), 4, 100);
        var rows = columns.Length == 0 ? [] : dice.Many(() => columns.Select(_ => Value(dice)).ToArray(), 3, 50);
        return new(columns, rows, dice.Below(1000), dice.Coin() ? dice.Signed() : null);
    }

    private static StepResult.Batch Batch(Dice dice)
    {
        var count = dice.Count(4, 200);
        var (results, errors) = (new StatementResult?[count], new SqlError?[count]);
        for (var i = 0; i < count; i++)
        {
            if (dice.Below(3) is var kind && kind == 0)
                results[i] = Statement(dice);
            else if (kind == 1)
                errors[i] = Error(dice);
        }

        return new(results, errors);
    }

    private static SqlError Error(Dice dice) => new(dice.Text(), dice.Text(), dice.MaybeText());

    private static Receipt Receipt(Dice dice)
        => new(At(dice), Ack(dice), dice.Pick(Enum.GetValues<AckLevel>()), dice.Many(() => new NodeId(dice.Name()), 3, 100), dice.Coin(), Duration(dice));

    private static SqlProblem Problem(Dice dice)
        => new(
            dice.Below(600), dice.Text(), dice.Text(), dice.Text(), dice.Pick(Enum.GetValues<Outcome>()), dice.Coin() ? Receipt(dice) : null,
            dice.Coin() ? dice.Many(() => new NodeId(dice.Name()), 3, 100) : null, dice.MaybeText());

    private static ReadOptions Read(Dice dice)
        => new(dice.Coin() ? dice.Pick(Enum.GetValues<ReadLevel>()) : null, dice.Coin() ? Duration(dice) : null, dice.Coin() ? dice.Number() : null);
}
