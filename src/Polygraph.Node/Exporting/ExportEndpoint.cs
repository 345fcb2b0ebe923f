using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Polygraph.Node.Http;
using Polygraph.Node.Importing;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Exporting;

/// <summary><c>GET /v1/db/{name}/export</c>: one state of a database as a plain SQLite file. The read levels hold as for any read.</summary>
internal sealed class ExportEndpoint(Exports exports, HttpLimits limits)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/db/{name}/export", (RequestDelegate)AnswerAsync);

    private async Task AnswerAsync(HttpContext context)
    {
        _ = new Query(context);
        var name = Http.Route.DatabaseOf(context);
        var options = RequestOptions.From(context.Request.Headers);
        var request = new SqlRequest(
            name, new SqlUnit(UnitMode.Atomic, []), null, options.Read, options.Session, null, RequestPrincipal.Of(context), limits.BudgetDefault);
        var (file, problem) = await exports.MakeAsync(request, context.RequestAborted);
        if (problem is not null)
        {
            await ProblemAnswer.SendAsync(context, problem, name);
            return;
        }

        using (file)
        {
            var response = context.Response;
            ResponseHeaders.Write(response, name, new SqlResponse(null, null, file!.Read, null, file.Read.Node, null));
            response.ContentType = ImportEndpoint.ContentType;
            response.ContentLength = file.Bytes;
            response.Headers[ContentDigest.Header] = ContentDigest.Format(file.Sha256);
            response.Headers["Polygraph-Position"] = file.Read.Position.ToString();
            response.Headers["Polygraph-Digest"] = file.Digest;
            await response.SendFileAsync(file.Path, context.RequestAborted);
        }
    }
}
