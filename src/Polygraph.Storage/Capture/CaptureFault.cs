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

    /// <summary>OLD is believed, also after a BEFORE trigger has changed its row.</summary>
    TrustsOld,
}

/// <summary>What the planted mistakes do.</summary>
internal static class CaptureFaults
{
    /// <summary>Whether a statement that must be watched is not.</summary>
    internal static bool HidesStatement(this CaptureFault fault, StatementFacts facts)
        => fault switch
        {
            CaptureFault.MissesReplacedRow => facts.CanReplace,
            CaptureFault.TrustsOld => true,
            _ => false,
        };

    /// <summary>Whether a change that was seen is left out.</summary>
    internal static bool HidesChange(this CaptureFault fault, WatchedChange change)
        => fault == CaptureFault.MissesCascade && change.Kind == LogicalOperationKind.Delete && change.Table.ActionParents.Count > 0;

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
