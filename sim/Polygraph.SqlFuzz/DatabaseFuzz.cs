using Polygraph.SqlFuzz.Generation;
using Polygraph.SqlFuzz.Running;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz;

/// <summary>What one database came to.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Statements">Statements that ran.</param>
/// <param name="Failed">Those that failed, as they do in plain SQLite.</param>
/// <param name="Refusal">Why Polygraph refused a statement, with which the database ends; null if it did not.</param>
/// <param name="HalfDone">What plain SQLite has done by half, with which the database ends; null if nothing.</param>
/// <param name="Difference">What differed, null if nothing did.</param>
/// <param name="Script">What ran.</param>
/// <param name="IsPlain">Whether plain SQLite ran along.</param>
internal sealed record DatabaseResult(
    ulong Seed, int Statements, int Failed, string? Refusal, string? HalfDone, string? Difference, IReadOnlyList<ScriptStep> Script, bool IsPlain);

/// <summary>One database: a grammar, a script that it draws, and the run of it. The same seed draws the same script.</summary>
internal sealed class DatabaseFuzz(ReplicaDatabaseOptions options, Coverage coverage)
{
    public DatabaseResult Run(ulong seed, int statements)
    {
        var dice = new Dice(seed);
        // Without the watch, REPLACE differs from plain SQLite by design.
        var isPlain = !dice.Chance(10) && !options.WithoutPreupdateHook;
        var model = new SchemaModel();
        var grammar = new SqlGrammar(dice, model, new GrammarOptions(isPlain));
        var script = new List<ScriptStep>();
        var (ran, failed) = (0, 0);
        // Features are those of the statement drawn last; what became of it is known when its batch has run.
        var features = new Queue<IReadOnlyCollection<string>>();
        using var run = new ScriptRun(NewDirectory(), isPlain, options)
        {
            Ran = (ours, refused) =>
            {
                ran++;
                failed += ours.Error is null ? 0 : 1;
                coverage.Count(features.Dequeue(), ours.Error is not null, refused);
            },
        };
        StepOutcome outcome = default;
        var isFirst = true;
        while (!outcome.Ends && ran < statements)
        {
            features.Clear();
            outcome = run.RunBatch(isFirst ? [Noting(new DrawnUnit(UnitMode.Autocommit, grammar.Beginning()))] : Units(), out var batch);
            isFirst = false;
            script.Add(batch);
            if (!outcome.Ends && RareStep(dice, batch) is { } rare)
            {
                script.Add(rare);
                outcome = run.Run(rare);
            }
        }

        if (!outcome.Ends)
        {
            script.Add(new ScriptStep.Compare());
            outcome = run.Run(script[^1]);
        }

        return new DatabaseResult(seed, ran, failed, outcome.Refusal, outcome.HalfDone, outcome.Difference, script, isPlain);

        IEnumerable<DrawnUnit> Units()
        {
            for (var units = dice.Chance(70) ? 1 : dice.Between(2, 5); units > 0; units--)
            {
                Refresh();
                yield return Noting(grammar.Unit());
            }
        }

        DrawnUnit Noting(DrawnUnit unit) => unit with { Statements = Note(unit.Statements) };

        IEnumerable<SqlStatement> Note(IEnumerable<SqlStatement> drawn)
        {
            foreach (var statement in drawn)
            {
                features.Enqueue(grammar.Features);
                yield return statement;
                Refresh();
            }
        }

        void Refresh() => model.Refresh(run.Plain?.Connection ?? run.Cluster.All[0].Connection);
    }

    /// <summary>Runs a script anew; what differed.</summary>
    public string? Replay(IReadOnlyList<ScriptStep> script, bool isPlain)
    {
        using var run = new ScriptRun(NewDirectory(), isPlain, options);
        var outcome = run.Run(script);
        return outcome.Ends ? outcome.Difference : run.Run(new ScriptStep.Compare()).Difference;
    }

    private static ScriptStep? RareStep(Dice dice, ScriptStep.Batch batch)
        => dice.Below(100) switch
        {
            < 3 => new ScriptStep.LostBatch(batch.Units),
            < 4 => new ScriptStep.Reopen(dice.Below(ReplicaCluster.Replicas)),
            < 5 => new ScriptStep.Rewind(dice.Below(ReplicaCluster.Replicas)),
            < 10 => new ScriptStep.Compare(),
            _ => null,
        };

    private static string NewDirectory() => Directory.CreateTempSubdirectory("polygraph-sqlfuzz-").FullName;
}
