using System.Globalization;
using System.Text;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Capture;

/// <summary>
/// The TEMP triggers that show every changed row to <see cref="CaptureFunction"/>. SQLite fires TEMP triggers before the schema's own AFTER
/// triggers, so that a row is captured before a trigger changes it again.
/// </summary>
internal static class CaptureTriggers
{
    /// <summary>SQLite takes 100 arguments in its smallest build; one is the code, some are left free.</summary>
    internal const int ValuesPerCall = 90;

    private static readonly LogicalOperationKind[] Operations =
        [LogicalOperationKind.Insert, LogicalOperationKind.Update, LogicalOperationKind.Delete];

    internal static void Create(SqliteConnection connection, TableShape table)
    {
        foreach (var operation in Operations)
            connection.Execute(
                $"CREATE TEMP TRIGGER {NameOf(table, operation)} AFTER {operation.ToString().ToUpperInvariant()} ON main.{table.QuotedName} "
                + $"BEGIN {Body(table, operation)} END");
    }

    internal static void Drop(SqliteConnection connection, TableShape table)
    {
        foreach (var operation in Operations)
            connection.Execute($"DROP TRIGGER IF EXISTS temp.{NameOf(table, operation)}");
    }

    /// <summary>What tells the function which table's row it is shown, and what happens to it.</summary>
    internal static long Code(TableShape table, LogicalOperationKind operation) => ((long)table.CaptureId << 3) | (byte)operation;

    internal static (int CaptureId, LogicalOperationKind Operation) FromCode(long code)
        => ((int)(code >> 3), (LogicalOperationKind)(code & 7));

    private static string NameOf(TableShape table, LogicalOperationKind operation)
        => string.Create(CultureInfo.InvariantCulture, $"polygraph_capture_{table.CaptureId}_{operation}");

    private static string Body(TableShape table, LogicalOperationKind operation)
    {
        IEnumerable<string> values = [];
        if (operation != LogicalOperationKind.Insert)
            values = values.Concat(table.Values.Select(value => "OLD." + value));
        if (operation != LogicalOperationKind.Delete)
            values = values.Concat(table.Values.Select(value => "NEW." + value));
        var body = new StringBuilder();
        foreach (var chunk in values.Chunk(ValuesPerCall))
            body.Append(
                CultureInfo.InvariantCulture,
                $"SELECT {CaptureFunction.Name}({Code(table, operation)}, {string.Join(", ", chunk)}); ");
        return body.ToString();
    }
}
