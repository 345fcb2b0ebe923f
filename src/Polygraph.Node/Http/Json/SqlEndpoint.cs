using Microsoft.AspNetCore.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary><c>POST /v1/db/{name}/sql</c>: one request, one transaction, one answer.</summary>
internal sealed class SqlEndpoint(IClusterGateway gateway, InFlight inFlight, RequestMetrics metrics)
{
    private const string ContentType = "application/json";

    public async Task ExecuteAsync(HttpContext context)
    {
        RequestGuard.CheckJson(context.Request);
        _ = new Query(context);
        var database = Route.DatabaseOf(context);
        var options = RequestOptions.From(context.Request.Headers);
        using var body = await RequestBody.ReadAsync(context, inFlight);
        var request = new SqlRequest(
            database,
            SqlJsonReader.Read(body.Span, inFlight.Limits),
            options.Ack,
            options.Read,
            options.Session,
            options.IdempotencyKey,
            RequestPrincipal.Of(context),
            inFlight.Limits.BudgetFor(options.Ack));

        var response = await gateway.ExecuteAsync(request, context.RequestAborted);
        metrics.Count(response);
        ResponseHeaders.Write(context.Response, database, response);
        if (ProblemOf(response) is { } problem)
            await ProblemAnswer.SendAsync(context, problem, database, FailedStatement(response.Result));
        else
            await SendResultAsync(context, database, response);
    }

    private static async Task SendResultAsync(HttpContext context, string database, SqlResponse response)
    {
        var output = JsonOutput.Rent();
        try
        {
            SqlJsonWriter.Write(output.Writer, database, response);
            await output.SendAsync(context.Response, StatusCodes.Status200OK, ContentType, context.RequestAborted);
        }
        finally
        {
            output.Return();
        }
    }

    // An SQL error is a result to the cluster and a problem to this client: the unit was atomic, so nothing of it remains.
    private static SqlProblem? ProblemOf(SqlResponse response)
    {
        if (response.Problem is not null || response.Result?.FirstError is not { } error)
            return response.Problem;
        return new SqlProblem(
            StatusCodes.Status400BadRequest, error.Code, "The SQL could not be executed", error.Message, Outcome.NotApplied);
    }

    private static int? FailedStatement(UnitResult? result)
    {
        for (var i = 0; i < result?.Steps.Count; i++)
            if (result.Steps[i] is StepResult.Failed)
                return i;
        return null;
    }
}
