using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>The cluster and its databases: what there is, what shall be, and whether all copies are equal.</summary>
internal sealed class DatabaseEndpoints(IClusterGateway gateway, InFlight inFlight)
{
    // Known are also names that are reserved for what is to come; the first one is there.
    private static readonly string[] Topologies = ["leader", "multi-leader", "leaderless"];
    private static readonly string[] Logs = ["logical", "statement", "physical", "trigger"];

    /// <summary><c>GET /v1/cluster</c>.</summary>
    public Task DescribeClusterAsync(HttpContext context)
    {
        _ = new Query(context);
        return ReportAnswer.SendAsync(context, gateway.DescribeCluster(), ReportJson.Default.ClusterReport);
    }

    /// <summary><c>GET /v1/db/{name}</c>.</summary>
    public Task DescribeDatabaseAsync(HttpContext context)
    {
        _ = new Query(context);
        var name = Route.DatabaseOf(context);
        var report = gateway.DescribeDatabase(name) ?? throw Refusals.NoSuchDatabase(name);
        return ReportAnswer.SendAsync(context, report, ReportJson.Default.DatabaseReport);
    }

    /// <summary>
    /// <c>PUT /v1/db/{name}</c> with <c>{"topology":…,"log":…,"ack":…}</c>, all optional, or no body: 201 once the creation is committed.
    /// </summary>
    public async Task CreateAsync(HttpContext context)
    {
        _ = new Query(context);
        var name = NewNameOf(context);
        var settings = await ReadSettingsAsync(context);
        var request = new CreateDatabase(
            name,
            OneOf("topology", settings.Topology, Topologies),
            OneOf("log", settings.Log, Logs),
            ParseAck(settings.Ack),
            RequestPrincipal.Of(context));
        if (await gateway.CreateDatabaseAsync(request, context.RequestAborted) is { } problem)
        {
            await ProblemAnswer.SendAsync(context, problem, name);
            return;
        }

        context.Response.Headers.Location = $"/v1/db/{name}";
        if (gateway.DescribeDatabase(name) is { } report)
            await ReportAnswer.SendAsync(context, report, ReportJson.Default.DatabaseReport, StatusCodes.Status201Created);
        else
            context.Response.StatusCode = StatusCodes.Status201Created;
    }

    /// <summary><c>DELETE /v1/db/{name}</c>: 204 once the drop is committed.</summary>
    public async Task DropAsync(HttpContext context)
    {
        _ = new Query(context);
        var name = NewNameOf(context);
        if (await gateway.DropDatabaseAsync(name, RequestPrincipal.Of(context), context.RequestAborted) is { } problem)
            await ProblemAnswer.SendAsync(context, problem, name);
        else
            context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>
    /// <c>POST /v1/db/{name}/verify?timeout=5min</c>: 200 with what each copy holds; whether they are equal stands in the report.
    /// </summary>
    public async Task VerifyAsync(HttpContext context)
    {
        var query = new Query(context, "timeout");
        var name = Route.DatabaseOf(context);
        var budget = query.Duration("timeout") ?? inFlight.Limits.VerifyBudget;
        if (budget > inFlight.Limits.VerifyBudget)
            throw Refusals.Query("timeout", $"a verification may take {DurationText.Format(inFlight.Limits.VerifyBudget)} at most.");

        var (report, problem) = await gateway.VerifyAsync(name, budget, context.RequestAborted);
        if (problem is not null)
            await ProblemAnswer.SendAsync(context, problem, name);
        else
            await ReportAnswer.SendAsync(context, report!, ReportJson.Default.VerificationReport);
    }

    private static string NewNameOf(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        return DatabaseName.IsForUsers(name)
            ? name
            : throw Refusals.Name($"'{Route.Shorten(name)}' is not a name for a database of yours. {DatabaseName.Rule}");
    }

    private async Task<DatabaseSettings> ReadSettingsAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context, inFlight);
        if (body.Span.IsEmpty)
            return new DatabaseSettings(null, null, null);

        RequestGuard.CheckJson(context.Request);
        try
        {
            return JsonSerializer.Deserialize(body.Span, SettingsJson.Default.DatabaseSettings)
                ?? throw Refusals.Body("The body must be an object, not null.");
        }
        catch (JsonException fault)
        {
            throw Refusals.Body($"The body is not {{\"topology\":…,\"log\":…,\"ack\":…}}: {fault.Message}");
        }
    }

    private static string? OneOf(string field, string? value, string[] known)
        => value is null || known.Contains(value, StringComparer.Ordinal)
            ? value
            : throw Refusals.Body($"{field}: '{Route.Shorten(value)}' is not known; use {known[0]}. Still to come: {string.Join(", ", known[1..])}.");

    private static AckPolicy? ParseAck(string? text)
    {
        if (text is null)
            return null;
        return AckPolicyText.TryParse(text, out var policy, out var error) ? policy : throw Refusals.Body($"ack: {error}");
    }
}
