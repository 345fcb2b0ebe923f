using System.Globalization;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Running;

/// <summary>Whether an answer with status 200 claims at least what was asked for. A pure table.</summary>
internal static class ReceiptRules
{
    /// <summary>What a receipt lacks; null if nothing.</summary>
    /// <param name="ack">The level that was asked for, with its options.</param>
    /// <param name="receipt">What came.</param>
    /// <param name="nodes">Voters of the cluster.</param>
    public static string? Complaint(string ack, WriteReceipt receipt, int nodes)
    {
        var level = LevelOf(ack);
        return receipt.AckedBy.Distinct().Count() < (receipt.Degraded ? 1 : Copies(level, nodes))
                ? $"{ack} was answered with 200 and acked by {string.Join(' ', receipt.AckedBy)} only, at {receipt.Term}/{receipt.Index}"
            : receipt.Degraded && level != "semi-sync" ? $"{ack} was answered with 200 and degraded, at {receipt.Term}/{receipt.Index}"
            : null;
    }

    /// <summary>How many copies a level asks for.</summary>
    /// <param name="ack">The level, with its options.</param>
    /// <param name="nodes">Voters of the cluster.</param>
    public static int Copies(string ack, int nodes)
        => LevelOf(ack) switch
        {
            "all" => nodes,
            "quorum" => (nodes / 2) + 1,
            "semi-sync" => 2,
            _ => 1,
        };

    /// <summary>What the label of a read lacks; null if nothing.</summary>
    /// <param name="level">The level that was asked for.</param>
    /// <param name="maxStaleness">The bound that was asked for, in milliseconds with the unit.</param>
    /// <param name="label">What came.</param>
    /// <param name="took">How long the request took: a label counts up to the moment at which it was written, the bound up to the one at which the read began.</param>
    public static string? Complaint(string level, string? maxStaleness, ReadLabel label, TimeSpan took)
    {
        if (maxStaleness is null || label.Level != "bounded")
            return label.Level == level || label.Fallback is not null ? null : $"a read at {level} was answered at {label.Level} without a reason";
        var bound = int.Parse(maxStaleness.AsSpan(0, maxStaleness.Length - 2), CultureInfo.InvariantCulture);
        return label.StalenessMilliseconds - took.TotalMilliseconds <= bound ? null : $"a read within {maxStaleness} was answered with a staleness of {label.StalenessMilliseconds?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} ms after {took.TotalMilliseconds:0} ms";
    }

    private static string LevelOf(string ack) => ack.Split(';', '+')[0].Trim();
}
