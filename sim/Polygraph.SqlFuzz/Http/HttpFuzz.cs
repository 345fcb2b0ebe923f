using System.Globalization;
using Polygraph.SqlFuzz.Comparing;
using Polygraph.SqlFuzz.Generation;
using Polygraph.SqlFuzz.Running;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Http;

/// <summary>The same comparison with a cluster that runs: statements through one node, rows from every node, and what the copies say of themselves.</summary>
internal static class HttpFuzz
{
    /// <summary>Returns the exit code: 0 if nothing differed, 1 if something did.</summary>
    public static int Run(Options options, TextWriter output)
    {
        using var cluster = new HttpCluster(options.Url!);
        var (statements, databases, refused) = (0, 0, 0);
        for (var seed = options.Seed; statements < options.Statements; seed++, databases++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"fuzz-{seed}");
            cluster.CreateDatabase(name);
            var script = new List<ScriptStep>();
            var difference = RunDatabase(cluster, name, new Dice(seed), options.PerDatabase, script, ref statements, ref refused);
            if (difference is not null)
            {
                output.WriteLine($"seed {seed} FAILED in database {name}, which is left as it is: {difference}");
                output.WriteLine(ScriptText.Of(script));
                output.WriteLine($"  repeat on an empty cluster: dotnet run -c Release --project sim/Polygraph.SqlFuzz -- --statements 1 --per-database {options.PerDatabase} --seed {seed} --url {options.Url}");
                return 1;
            }

            cluster.DropDatabase(name);
        }

        output.WriteLine($"{statements} statements through {options.Url}, {databases} databases, {refused} of them ended by a statement that was refused");
        output.WriteLine($"{databases} passed, 0 failed");
        return 0;
    }

    private static string? RunDatabase(
        HttpCluster cluster, string name, Dice dice, int wanted, List<ScriptStep> script, ref int statements, ref int refused)
    {
        var grammar = new SqlGrammar(dice, new SchemaModel(), new GrammarOptions(IsDeterministic: true, Atomic: true));
        using var plain = new PlainDatabase();
        var drawn = new DrawnUnit(UnitMode.Atomic, grammar.Beginning());
        for (var end = statements + wanted; statements < end;)
        {
            var (unit, expected) = RunPlain(plain, drawn, grammar.Model);
            script.Add(new ScriptStep.Batch([unit]));
            statements += unit.Statements.Count;
            var outcomes = cluster.Execute(name, unit);
            for (var i = 0; i < outcomes.Count && expected.All(outcome => outcome.Error is null) == outcomes.All(outcome => outcome.Error is null); i++)
                if (expected[i].Error is null == outcomes[i].Error is null && expected[i].Result is not null && outcomes[i].Result is not null
                    && OutcomeRules.Difference(unit.Statements[i], AsShown(expected[i]), outcomes[i]) is { } difference)
                    return difference;
            var (error, told) = (expected.Select(each => each.Error).FirstOrDefault(each => each is not null), outcomes.FirstOrDefault(each => each.Error is not null));
            if (told is not null && (error?.Code, error?.Message) != (told.Error!.Code, told.Error.Message) && OutcomeRules.Refusal(told) is not null)
            {
                refused++;
                return cluster.Verify(name);
            }

            if (error?.Code != told?.Error?.Code || error?.Message != told?.Error?.Message)
                return plain.MayHaveMissedViolation() ? cluster.Verify(name) : $"error: plain {error}, ours {told?.Error}";
            drawn = grammar.Unit();
        }

        return cluster.Verify(name) ?? CompareNodes(cluster, name, plain);
    }

    private static (ScriptUnit Unit, List<StatementOutcome> Outcomes) RunPlain(PlainDatabase plain, DrawnUnit drawn, SchemaModel model)
    {
        var statements = new List<SqlStatement>();
        var outcomes = new List<StatementOutcome>();
        plain.BeginUnit(drawn.Mode);
        foreach (var each in drawn.Statements)
        {
            // JSON carries no text that is not UTF-8.
            var statement = each with { Arguments = [.. each.Arguments.Select(argument => argument with { Value = JsonValues.AsShown(argument.Value) })] };
            statements.Add(statement);
            outcomes.Add(plain.Run(statement));
            model.Refresh(plain.Connection);
        }

        if (plain.EndUnit() is { } error)
            outcomes[^1] = new StatementOutcome(null, error);
        model.Refresh(plain.Connection);
        return (new ScriptUnit(drawn.Mode, statements), outcomes);
    }

    private static string? CompareNodes(HttpCluster cluster, string name, PlainDatabase plain)
    {
        foreach (var node in cluster.Nodes())
            foreach (var (what, query) in DatabaseState.Read(plain.Connection).Queries)
            {
                var local = cluster.ReadLocal(node, name, query);
                plain.BeginUnit(UnitMode.Autocommit);
                var expected = AsShown(plain.Run(new SqlStatement(query, [])));
                if (!Lines(expected).SequenceEqual(Lines(local)))
                    return $"{what} at {node}: plain {expected}, there {local}";
            }

        return null;
    }

    private static List<string> Lines(StatementOutcome outcome)
        => outcome.Result?.Rows.Select(row => string.Join(" | ", row.Select(StatementOutcome.Show))).Order(StringComparer.Ordinal).ToList() ?? [outcome.ToString()];

    private static StatementOutcome AsShown(StatementOutcome outcome)
        => outcome.Result is not { } result
            ? outcome
            : new StatementOutcome(
                result with
                {
                    Columns = [.. result.Columns.Select(column => new SqlColumn(column.Name, null))],
                    Rows = [.. result.Rows.Select(row => row.Select(JsonValues.AsShown).ToArray())],
                }, null);
}
