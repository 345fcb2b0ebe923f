using Polygraph.Cli.Client;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Demos.Day;

/// <summary>Looks through one replica's books, by what its own SQLite shows.</summary>
public static class DayBooks
{
    // Each must find nothing.
    private static readonly (string What, string Sql)[] Audits =
    [
        ("invoices whose total is not the sum of their lines",
            "SELECT id FROM invoice WHERE total_cents <> (SELECT coalesce(sum(cents * quantity), 0) FROM invoice_line WHERE invoice = invoice.id)"),
        ("customers who spent something else than their paid invoices, archived ones too",
            "SELECT id FROM customer WHERE spent_cents <> (SELECT coalesce(sum(total_cents), 0) FROM (SELECT customer, state, total_cents FROM invoice "
            + "UNION ALL SELECT customer, state, total_cents FROM archived_invoice) AS paid WHERE paid.customer = customer.id AND state = 'paid')"),
        ("tracks whose stock is not what came less what was sold and kept",
            "SELECT id FROM track WHERE stock <> 100 "
            + "- (SELECT coalesce(sum(quantity), 0) FROM invoice_line JOIN invoice ON invoice.id = invoice WHERE track = track.id AND state = 'paid') "
            + "- (SELECT coalesce(sum(quantity), 0) FROM archived_line JOIN archived_invoice AS archived ON archived.id = invoice WHERE track = track.id AND archived.state = 'paid')"),
        ("archived invoices whose lines are not all there", "SELECT id FROM archived_invoice WHERE lines <> (SELECT count(*) FROM archived_line WHERE invoice = archived_invoice.id)"),
        ("tracks that the full-text index does not find",
            "SELECT id FROM track WHERE id NOT IN (SELECT rowid FROM track_text WHERE track_text MATCH 'take')"),
        ("words of tracks that are gone", "SELECT rowid FROM track_text WHERE track_text MATCH 'take' EXCEPT SELECT id FROM track"),
        ("generated columns that are wrong", "SELECT id FROM track WHERE price_class <> iif(cents < 100, 'standard', 'premium') OR minutes <> milliseconds / 60000.0"),
        ("invoices that are live and archived", "SELECT id FROM invoice WHERE id IN (SELECT id FROM archived_invoice)"),
        ("broken foreign keys", "PRAGMA foreign_key_check"),
        ("damage", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
    ];

    /// <summary>What is wrong on a node, in words; nothing if the books are right.</summary>
    public static async Task<IReadOnlyList<string>> CheckAsync(LocalCluster cluster, string node, DayLedger ledger, CancellationToken cancellation)
    {
        using var client = cluster.ClientOf(node);
        var wrong = new List<string>();
        foreach (var (what, sql) in Audits)
            if (await RowsAsync(client, sql, cancellation) is { Count: > 0 } found)
                wrong.Add($"{node}: {found.Count} {what}, the first: {string.Join(", ", found[0].Select(cell => cell.ToString()))}");

        var there = (await RowsAsync(client, "SELECT name FROM request", cancellation)).Select(row => row[0].GetString()!).ToHashSet(StringComparer.Ordinal);
        var lost = ledger.Done.Keys.Where(name => !there.Contains(name)).ToList();
        var unasked = there.Where(name => !ledger.Done.ContainsKey(name)).ToList();
        if (lost.Count > 0)
            wrong.Add($"{node}: {lost.Count} requests were told \"done\" and are not there, the first: {lost[0]}");
        if (unasked.Count > 0)
            wrong.Add($"{node}: {unasked.Count} requests were refused and are there, the first: {unasked[0]}");
        return wrong;
    }

    private static async Task<IReadOnlyList<System.Text.Json.JsonElement[]>> RowsAsync(ClusterClient client, string sql, CancellationToken cancellation)
    {
        var reply = await client.ExecuteAsync(new SqlCall(DemoStage.Database, [sql], Read: "local"), cancellation);
        return reply.Answer?.Results[0].Rows ?? throw new CommandFailedException($"The books cannot be read: {reply.Problem!.Detail} ({sql})");
    }
}
