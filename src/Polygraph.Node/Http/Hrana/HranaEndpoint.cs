using Microsoft.AspNetCore.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Hrana over HTTP, versions 2 and 3, with JSON: what libSQL clients speak. See docs/hrana.md.</summary>
internal sealed class HranaEndpoint(IClusterGateway gateway, InFlight inFlight, HranaStreams streams, RequestMetrics metrics)
{
    private const string ContentType = "application/json";

    // A client names its database in the path; sqld's clients may name it by this header, whose "default" is our main.
    private const string NamespaceHeader = "x-namespace";

    /// <summary><c>GET /v2</c> and <c>GET /v3</c>: the version is spoken here.</summary>
    public static Task AnswerProbeAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync("Hrana over HTTP, JSON\n", context.RequestAborted);
    }

    /// <summary><c>POST /v2/pipeline</c> and <c>/v3/pipeline</c>: one pipeline, one unit, at most one log entry.</summary>
    public async Task ExecuteAsync(HttpContext context)
    {
        RequestGuard.CheckJson(context.Request, mayBeUndeclared: true);
        _ = new Query(context);
        var database = DatabaseOf(context);
        var options = RequestOptions.From(context.Request.Headers);
        using var body = await RequestBody.ReadAsync(context, inFlight);
        var pipeline = HranaReader.Read(body.Span, inFlight.Limits);
        var stream = pipeline.Baton is { } baton ? streams.Resume(baton, database) : streams.Open(database, gateway.OpenStream());
        string? next = null;
        var isSent = false;
        try
        {
            var plan = PipelinePlan.Make(pipeline, stream);
            var response = plan.HasSteps ? await ExecuteAsync(context, stream, plan.Unit, options) : null;

            // Released before the answer leaves: who has read it may send the next request at once.
            next = plan.Closes ? null : streams.Release(stream);
            await SendAsync(context, next, plan, response);
            isSent = true;
        }
        finally
        {
            // An answer that is no pipeline result ends the stream for the client, so it ends it here; and so does one that never left: without the baton
            // nobody can go on, and a transaction that the client does not know to be open would hold the writer until its limit.
            if (next is null)
                streams.Close(stream);
            else if (!isSent)
                streams.Forget(next);
        }
    }

    /// <summary><c>POST /v3/cursor</c>: a batch whose rows leave as they are read, one JSON value a line.</summary>
    public async Task StreamAsync(HttpContext context)
    {
        RequestGuard.CheckJson(context.Request, mayBeUndeclared: true);
        _ = new Query(context);
        var database = DatabaseOf(context);
        var options = RequestOptions.From(context.Request.Headers);
        using var body = await RequestBody.ReadAsync(context, inFlight);
        var pipeline = HranaReader.ReadCursor(body.Span, inFlight.Limits);
        var stream = pipeline.Baton is { } baton ? streams.Resume(baton, database) : streams.Open(database, gateway.OpenStream());
        var released = false;
        try
        {
            var plan = PipelinePlan.Make(pipeline, stream);
            if (!plan.HasSteps)
            {
                await HranaCursorWriter.SendErrorAsync(context, streams.Foresee(stream), plan.Slots[0].Error!, () => Release());
                return;
            }

            var request = RequestOf(context, database, plan.Unit, options);
            var (cursor, response) = await stream.Sql.OpenCursorAsync(request, (SqlStep.Batch)plan.Unit.Steps[0], context.RequestAborted);
            metrics.Count(response);
            ResponseHeaders.Write(context.Response, database, response);
            using (cursor)
                await HranaCursorWriter.SendAsync(context, streams.Foresee(stream), cursor, response.Problem, () => Release());
        }
        finally
        {
            if (!released)
                streams.Close(stream);
        }

        // Before the last bytes leave: who has read them may send the next request at once.
        void Release()
        {
            streams.Release(stream);
            released = true;
        }
    }

    private async Task<SqlResponse> ExecuteAsync(HttpContext context, HranaStream stream, SqlUnit unit, RequestOptions options)
    {
        var request = RequestOf(context, stream.Database, unit, options);
        var response = await stream.Sql.ExecuteAsync(request, context.RequestAborted);
        metrics.Count(response);
        ResponseHeaders.Write(context.Response, stream.Database, response);
        return response;
    }

    private static async Task SendAsync(HttpContext context, string? baton, PipelinePlan plan, SqlResponse? response)
    {
        var output = JsonOutput.Rent();
        try
        {
            HranaWriter.Write(output.Writer, baton, plan, response);
            await output.SendAsync(context.Response, StatusCodes.Status200OK, ContentType, context.RequestAborted);
        }
        finally
        {
            output.Return();
        }
    }

    private SqlRequest RequestOf(HttpContext context, string database, SqlUnit unit, RequestOptions options)
        => new(
            database,
            unit,
            options.Ack,
            options.Read,
            options.Session,
            options.IdempotencyKey,
            RequestPrincipal.Of(context),
            inFlight.Limits.BudgetFor(options.Ack));

    private static string DatabaseOf(HttpContext context)
    {
        var header = context.Request.Headers[NamespaceHeader];
        if (header.Count == 0 || context.Request.RouteValues.ContainsKey("name"))
            return Route.DatabaseOf(context);

        var name = header.ToString();
        if (name == "default")
            return DatabaseName.Default;
        return DatabaseName.IsValid(name) ? name : throw Refusals.NoSuchDatabase(Route.Shorten(name));
    }
}
