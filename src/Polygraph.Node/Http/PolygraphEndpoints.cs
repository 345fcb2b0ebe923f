using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Polygraph.Node.Http;

/// <summary>The HTTP interface of a node: SQL as JSON and over Hrana, the cluster's state, health and metrics.</summary>
public static class PolygraphEndpoints
{
    /// <summary>
    /// Maps every endpoint onto <paramref name="app"/>, behind limits and a guard that hold for everything else mapped on it as well. Call
    /// it before mapping anything else, and once.
    /// </summary>
    public static void Map(WebApplication app, IClusterGateway gateway, HttpEndpointOptions options)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(gateway);
        ArgumentNullException.ThrowIfNull(options);

        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Polygraph.Http");
        var inFlight = new InFlight(options.Limits);
        var metrics = new RequestMetrics();
        var boundary = new RequestBoundary(new RequestGuard(options.AllowedHosts), inFlight, metrics, logger);
        app.Use(boundary.InvokeAsync);

        // The boundary must be outside of routing, or an unknown path would pass it by.
        app.UseRouting();
        var streams = new HranaStreams(options.Time, logger);
        app.Lifetime.ApplicationStopped.Register(streams.Dispose);
        app.MapPost("/v1/db/{name}/sql", (RequestDelegate)new SqlEndpoint(gateway, inFlight, metrics).ExecuteAsync);
        MapHrana(app, new HranaEndpoint(gateway, inFlight, streams, metrics));
        MapDatabases(app, new DatabaseEndpoints(gateway, inFlight));
        MapHealth(app, new HealthEndpoints(gateway));
        app.MapGet("/metrics", (RequestDelegate)new MetricsEndpoint(gateway, inFlight, metrics, streams, options.MetricsSources).AnswerAsync);
    }

    private static void MapDatabases(IEndpointRouteBuilder routes, DatabaseEndpoints databases)
    {
        routes.MapGet("/v1/cluster", (RequestDelegate)databases.DescribeClusterAsync);
        routes.MapGet("/v1/db/{name}", (RequestDelegate)databases.DescribeDatabaseAsync);
        routes.MapPut("/v1/db/{name}", (RequestDelegate)databases.CreateAsync);
        routes.MapDelete("/v1/db/{name}", (RequestDelegate)databases.DropAsync);
        routes.MapPost("/v1/db/{name}/verify", (RequestDelegate)databases.VerifyAsync);
    }

    // Load balancers ask by GET or by HEAD.
    private static void MapHealth(IEndpointRouteBuilder routes, HealthEndpoints health)
    {
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        routes.MapMethods("/healthz", methods, (RequestDelegate)HealthEndpoints.AnswerAliveAsync);
        routes.MapMethods("/readyz", methods, (RequestDelegate)health.AnswerReadyAsync);
        routes.MapMethods("/leader", methods, (RequestDelegate)health.AnswerLeaderAsync);
        routes.MapMethods("/replica", methods, (RequestDelegate)health.AnswerReplicaAsync);
    }

    // Nothing is mapped at /v3-protobuf: its 404 tells a client to speak JSON.
    private static void MapHrana(IEndpointRouteBuilder routes, HranaEndpoint hrana)
    {
        foreach (var database in (string[])["", "/db/{name}"])
        {
            routes.MapGet(database + "/v2", HranaEndpoint.AnswerProbeAsync);
            routes.MapGet(database + "/v3", HranaEndpoint.AnswerProbeAsync);
            routes.MapPost(database + "/v2/pipeline", (RequestDelegate)hrana.ExecuteAsync);
            routes.MapPost(database + "/v3/pipeline", (RequestDelegate)hrana.ExecuteAsync);
            routes.MapPost(database + "/v3/cursor", (RequestDelegate)hrana.StreamAsync);
        }
    }
}
