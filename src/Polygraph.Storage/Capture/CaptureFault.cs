using Polygraph.Storage.Execution;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>
/// A mistake that capture could make, planted to prove that the SQL fuzzer finds it. Nothing but a test or the fuzzer can choose one: see
/// <see cref="ReplicaDatabaseOptions.Fault"/>.
/// </summary>
internal enum CaptureFault : byte
{
    None,

    /// <summary>Rows that REPLACE removes are not seen.</summary>
    MissesReplacedRow,

    /// <summary>Rows that a foreign-key action deletes are not seen.</summary>
    MissesCascade,

    /// <summary>An inserted row comes without its rowid.</summary>
    LosesRowid,

    /// <summary>An integer of an inserted row is shipped as text.</summary>
    ChangesAffinity,

    /// <summary>OLD is believed, also after a BEFORE trigger has changed its row. Triggers capture, as the hook would not be wrong.</summary>
    TrustsOld,
}

/// <summary>What the planted mistakes do.</summary>
internal static class CaptureFaults
{
    /// <summary>Whether a change that the hook shows is left out.</summary>
    /// <param name="depth">In how many triggers and foreign-key actions it happens.</param>
    internal static bool HidesChange(this CaptureFault fault, LogicalOperationKind kind, StatementFacts? statement, int depth)
        => kind == LogicalOperationKind.Delete && fault switch
        {
            CaptureFault.MissesReplacedRow => statement is { CanReplace: true, FirstWord: not "DELETE" },
            CaptureFault.MissesCascade => depth > 0,
            _ => false,
        };

    /// <summary>Makes an inserted row's image wrong, in the payload from <paramref name="imageStart"/> on.</summary>
    internal static void SpoilInsert(this CaptureFault fault, TableShape table, LogicalPayloadWriter payload, int imageStart)
    {
        var values = RowImage.Values(table, payload.From(imageStart));
        if (fault == CaptureFault.LosesRowid && table.HasUnnamedRowid)
            values[0] = SqlValue.Null;
        if (fault == CaptureFault.ChangesAffinity && Array.FindLastIndex(values, value => value.Kind == SqlValueKind.Integer) is var last and > 0)
            values[last] = SqlValue.FromText(values[last].ToString());
        payload.CutTo(imageStart);
        foreach (var value in values)
            payload.WriteValue(value);
    }
}
