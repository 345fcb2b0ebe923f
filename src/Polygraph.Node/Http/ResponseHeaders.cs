using System.Text;
using Microsoft.AspNetCore.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>The headers that say what a request achieved, the same for JSON and for Hrana, with answers good and bad.</summary>
internal static class ResponseHeaders
{
    public static void Write(HttpResponse response, string database, SqlResponse answer)
    {
        var headers = response.Headers;
        if (!answer.ServedBy.IsNone)
            headers["Polygraph-Served-By"] = answer.ServedBy.Value;
        if (answer.Session is { } session)
            headers["Polygraph-Session"] = session;
        if ((answer.Receipt ?? answer.Problem?.Receipt) is { } receipt)
            headers["Polygraph-Receipt"] = ReceiptText(database, receipt);
        if (answer.Read is { } read)
            headers["Polygraph-Staleness"] = StalenessText(read.Staleness);
    }

    // An upper bound, so it is rounded up: to the whole millisecond.
    private static string StalenessText(TimeSpan? staleness)
        => staleness is { } bound ? DurationText.Format(TimeSpan.FromMilliseconds((long)Math.Ceiling(bound.TotalMilliseconds))) : "unknown";

    private static string ReceiptText(string database, Protocol.Receipt receipt)
    {
        var output = JsonOutput.Rent();
        try
        {
            SqlJsonWriter.WriteReceipt(output.Writer, database, receipt);
            return Encoding.UTF8.GetString(output.Written);
        }
        finally
        {
            output.Return();
        }
    }
}
