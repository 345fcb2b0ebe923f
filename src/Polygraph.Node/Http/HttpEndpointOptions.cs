namespace Polygraph.Node.Http;

/// <summary>How a node's HTTP endpoints are set up.</summary>
public sealed record HttpEndpointOptions
{
    /// <inheritdoc cref="HttpLimits"/>
    public HttpLimits Limits { get; init; } = HttpLimits.Default;

    /// <summary>
    /// Host names and addresses, without port, that requests may name beside the loopback ones: what the node advertises and what a proxy
    /// in front of it is called.
    /// </summary>
    public IReadOnlyCollection<string> AllowedHosts { get; init; } = [];

    /// <summary>The clock of stream expiry and of waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Further metrics of the node, written after those of the endpoints.</summary>
    public IReadOnlyList<IMetricsSource> MetricsSources { get; init; } = [];
}
