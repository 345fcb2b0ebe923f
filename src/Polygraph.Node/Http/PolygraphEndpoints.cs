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
        MapSql(app, new SqlEndpoint(gateway, inFlight, metrics));
        MapHrana(app, new HranaEndpoint(gateway, inFlight, new HranaStreams(options.Time, logger), metrics));
    }

    private static void MapSql(IEndpointRouteBuilder routes, SqlEndpoint sql)
        => routes.MapPost("/v1/db/{name}/sql", (RequestDelegate)sql.ExecuteAsync);

    // Nothing is mapped at /v3-protobuf: its 404 tells a client to speak JSON.
    private static void MapHrana(IEndpointRouteBuilder routes, HranaEndpoint hrana)
    {
        foreach (var database in (string[])["", "/db/{name}"])
        {
            routes.MapGet(database + "/v2", HranaEndpoint.AnswerProbeAsync);
            routes.MapGet(database + "/v3", HranaEndpoint.AnswerProbeAsync);
            routes.MapPost(database + "/v2/pipeline", (RequestDelegate)hrana.ExecuteAsync);
            routes.MapPost(database + "/v3/pipeline", (RequestDelegate)hrana.ExecuteAsync);
            routes.MapPost(database + "/v3/cursor", HranaEndpoint.RefuseCursorAsync);
        }
    }
}
