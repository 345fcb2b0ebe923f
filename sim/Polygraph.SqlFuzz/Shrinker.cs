using System.Diagnostics;
using Polygraph.SqlFuzz.Running;

namespace Polygraph.SqlFuzz;

/// <summary>Makes a failing script small: leaves out steps, units and statements for as long as it still fails.</summary>
internal sealed class Shrinker(Func<IReadOnlyList<ScriptStep>, bool> fails, TimeSpan limit)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public IReadOnlyList<ScriptStep> Shrink(IReadOnlyList<ScriptStep> script)
    {
        for (var before = int.MaxValue; Size(script) < before;)
        {
            before = Size(script);
            script = Drop(script, fails);
            script = [.. script.SelectMany((step, i) => step is ScriptStep.Batch batch ? SplitBatch(script, i, batch) : [step])];
            for (var i = 0; i < script.Count; i++)
                script = ShrinkStep(script, i);
        }

        return script;
    }

    private static int Size(IReadOnlyList<ScriptStep> script)
        => script.Sum(step => step switch
        {
            ScriptStep.Batch batch => 2 + batch.Units.Sum(unit => 1 + unit.Statements.Count),
            ScriptStep.LostBatch lost => 2 + lost.Units.Sum(unit => 1 + unit.Statements.Count),
            _ => 1,
        });

    /// <summary>Halves, quarters, … and at last single elements are left out.</summary>
    private List<T> Drop<T>(IReadOnlyList<T> elements, Func<IReadOnlyList<T>, bool> stillFails)
    {
        var kept = elements.ToList();
        for (var chunk = Math.Max(1, kept.Count / 2); chunk > 0 && _clock.Elapsed < limit; chunk /= 2)
        {
            for (var start = kept.Count - chunk; start > -chunk && _clock.Elapsed < limit; start -= chunk)
            {
                var from = Math.Max(0, start);
                var without = kept.ToList();
                without.RemoveRange(from, Math.Min(chunk, without.Count - from));
                if (without.Count < kept.Count && stillFails(without))
                    kept = without;
            }
        }

        return kept;
    }

    /// <summary>A batch for each unit, if it fails like that too.</summary>
    private IReadOnlyList<ScriptStep> SplitBatch(IReadOnlyList<ScriptStep> script, int at, ScriptStep.Batch batch)
    {
        var split = batch.Units.Select(ScriptStep (unit) => new ScriptStep.Batch([unit])).ToList();
        return batch.Units.Count > 1 && fails([.. script.Take(at), .. split, .. script.Skip(at + 1)]) ? split : [batch];
    }

    private IReadOnlyList<ScriptStep> ShrinkStep(IReadOnlyList<ScriptStep> script, int at)
    {
        var units = script[at] switch
        {
            ScriptStep.Batch batch => batch.Units,
            ScriptStep.LostBatch lost => lost.Units,
            _ => [],
        };
        if (units.Count == 0)
            return script;
        units = Drop(units, fewer => fewer.Count > 0 && fails(With(fewer)));
        for (var i = 0; i < units.Count; i++)
        {
            var unit = units[i];
            var statements = Drop(unit.Statements, fewer => fewer.Count > 0 && fails(With(Replace(fewer))));
            units = Replace(statements);

            IReadOnlyList<ScriptUnit> Replace(IReadOnlyList<Wire.Sql.SqlStatement> by)
                => [.. units.Select((each, n) => n == i ? unit with { Statements = by } : each)];
        }

        return With(units);

        IReadOnlyList<ScriptStep> With(IReadOnlyList<ScriptUnit> by)
            => [.. script.Select((step, n) => n != at ? step : step is ScriptStep.Batch ? new ScriptStep.Batch(by) : new ScriptStep.LostBatch(by))];
    }
}
