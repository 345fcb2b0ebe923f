using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>
/// A unit with statements of our own around the client's: they bring a connection into the state of the client's stream, and ask afterwards what
/// that state is. The client sees the results of its own only.
/// </summary>
internal sealed class UnitFrame
{
    private readonly int _before;
    private readonly int _steps;
    private readonly bool _asksForeignKeys;

    /// <param name="unit">The client's.</param>
    /// <param name="before">What comes first.</param>
    /// <param name="asksForeignKeys">Whether to find out in the end if foreign keys are on.</param>
    public UnitFrame(SqlUnit unit, IEnumerable<string> before, bool asksForeignKeys)
    {
        var first = before.Select(StepOf).ToList();
        (_before, _steps, _asksForeignKeys) = (first.Count, unit.Steps.Count, asksForeignKeys);
        Unit = first.Count == 0 && !asksForeignKeys
            ? unit
            : unit with { Steps = [.. first, .. unit.Steps, .. asksForeignKeys ? [StepOf("PRAGMA foreign_keys")] : (SqlStep[])[]] };
    }

    /// <summary>What is run.</summary>
    public SqlUnit Unit { get; }

    /// <summary>Whether a unit can change the switch of its stream.</summary>
    public static bool ConcernsForeignKeys(SqlUnit unit)
        => SqlWords.Texts(unit).Any(text => text.Contains("foreign_keys", StringComparison.OrdinalIgnoreCase));

    /// <summary>The response with the results of the client's own steps.</summary>
    /// <param name="response">To <see cref="Unit"/>.</param>
    /// <param name="foreignKeys">Whether they are on in the end; null if that was not asked, or not answered.</param>
    public SqlResponse Unwrap(SqlResponse response, out bool? foreignKeys)
    {
        foreignKeys = null;
        if (response.Result is not { } result || (_before == 0 && !_asksForeignKeys))
            return response;
        var last = _before + _steps;
        if (_asksForeignKeys && result.Steps.Count > last && result.Steps[last] is StepResult.Rows { Result.Rows: [[{ Kind: SqlValueKind.Integer } on]] })
            foreignKeys = on.Integer != 0;

        // An error that only the end of the unit shows stands in place of its last step: in the client's last, if ours was there.
        var own = result.Steps.Skip(_before).Take(_steps).ToList();
        if (result.Steps.Count > last && result.Steps[^1] is StepResult.Failed failed && own.Count > 0)
            own[^1] = failed;
        return response with { Result = new UnitResult(own) };
    }

    private static SqlStep StepOf(string sql) => new SqlStep.Execute(new SqlStatement(sql, []));
}
