using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Polygraph.Node.Control;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Node.Importing;

/// <summary>Takes in files: whole imports from clients, and from other nodes what clients import there.</summary>
internal sealed class ImportEndpoint(Importer importer, SeedStore store, ClusterIdentity identity, NodeId self)
{
    /// <summary>The registered type of SQLite files. No web page can send it across origins without a permission that is never given.</summary>
    public const string ContentType = "application/vnd.sqlite3";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/db/{name}/import", (RequestDelegate)ImportAsync);
        routes.MapPost("/internal/imports/{seed}", (RequestDelegate)ReceiveAsync);
        routes.MapPut("/internal/imports/{seed}", (RequestDelegate)PrepareAsync);
        routes.MapDelete("/internal/imports/{seed}", (RequestDelegate)ForgetAsync);
    }

    /// <summary><c>POST /v1/db/{name}/import?ack=…</c> with the file as the body: 201 once a majority holds it durably and it is a database.</summary>
    private async Task ImportAsync(HttpContext context)
    {
        var ack = new Query(context, "ack").Ack("ack") ?? AckPolicy.Default;
        var name = (string)context.Request.RouteValues["name"]!;
        if (!DatabaseName.IsForUsers(name))
            throw Refusals.Name($"'{Http.Route.Shorten(name)}' is not a name for a database of yours. {DatabaseName.Rule}");
        var bytes = OpenBody(context);
        var request = new ImportRequest(name, ack, bytes, ContentDigest.Of(context.Request), RequestPrincipal.Of(context));
        var (report, problem) = await importer.ImportAsync(request, context.Request.Body, context.RequestAborted);
        if (problem is not null)
        {
            await ProblemAnswer.SendAsync(context, problem, name);
            return;
        }

        context.Response.Headers.Location = $"/v1/db/{name}";
        await ReportAnswer.SendAsync(context, report!, ImportJson.Default.ImportReport, StatusCodes.Status201Created);
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var seed = SeedOf(context);
        var bytes = OpenBody(context);
        if (store.TryBegin(seed, bytes) is { } refused)
            throw new RequestRefusedException(refused);
        var isComplete = false;
        try
        {
            using var file = new SeedFile(store.PathOf(seed), bytes);
            await BodyChunks.ReadAsync(context.Request.Body, async chunk =>
            {
                store.Touch(seed);
                await Task.Run(() => file.AppendAsync(chunk));
            }, context.RequestAborted);
            if (!file.IsComplete)
                throw Refusals.Body($"It ended before its {bytes} bytes were there.");
            isComplete = store.TryComplete(seed, await file.CompleteAsync());
            if (!isComplete)
                throw new RequestRefusedException(ImportProblems.SeedUnknown(self)); // It was removed meanwhile.
        }
        finally
        {
            if (!isComplete)
                store.TryDeleteUnpromised(seed);
        }
    }

    private async Task PrepareAsync(HttpContext context)
    {
        var id = SeedOf(context);
        Seed seed;
        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            seed = Seed.FromJson(body.ToArray());
        }
        catch (JsonException e)
        {
            throw Refusals.Body($"The body is not the description of a seed: {e.Message}");
        }

        if (seed.Id != id || store.ReceivedDigest(id) is not { } digest || digest != seed.Digest)
            throw new RequestRefusedException(ImportProblems.SeedUnknown(self));
        try
        {
            SeedPreparation.Prepare(store.PathOf(id), seed);
        }
        catch (SqliteException e) when (!ImportProblems.IsOfTheDisk(e))
        {
            throw new RequestRefusedException(ImportProblems.Refused(ImportProblems.Unusable(self, e)));
        }
        catch (Exception e) when (ImportProblems.IsOfTheDisk(e))
        {
            throw new RequestRefusedException(ImportProblems.NoRoom(self, e.Message));
        }

        store.MarkReady(seed);
    }

    private Task ForgetAsync(HttpContext context)
    {
        if (!store.TryDeleteUnpromised(SeedOf(context)))
            throw new RequestRefusedException(ImportProblems.SeedPromised(self));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private Guid SeedOf(HttpContext context)
    {
        MemberHeaders.Check(context.Request, identity);
        return Guid.TryParseExact((string?)context.Request.RouteValues["seed"], "N", out var seed)
            ? seed
            : throw Refusals.Query("seed", "32 hexadecimal digits are expected.");
    }

    /// <summary>The length of a body that is a file, and may be larger than any other body.</summary>
    private static long OpenBody(HttpContext context)
    {
        var request = context.Request;
        if (!ContentType.Equals(request.ContentType, StringComparison.OrdinalIgnoreCase))
            throw Refusals.FileContentType(ContentType, request.ContentType);
        if (request.ContentLength is not { } bytes)
            throw Refusals.LengthRequired();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        return bytes;
    }
}
