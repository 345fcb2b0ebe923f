namespace Polygraph.Cli.Client;

/// <summary>No node could be connected to; nothing was sent.</summary>
public sealed class ClusterUnreachableException(IReadOnlyList<Uri> endpoints, string reason)
    : CommandFailedException(
        $"No node answers at {string.Join(", ", endpoints.Select(endpoint => endpoint.Authority))} ({reason}).",
        $"Start a cluster with: {CommandName.Current} up    or name a node with --url http://HOST:PORT (or {Endpoints.Variable}).");

/// <summary>A request was sent and the connection was lost before the answer: whether it happened is unknown.</summary>
/// <param name="endpoint">Where it was sent.</param>
/// <param name="key">The idempotency key that it was sent under; null if it had none.</param>
public sealed class AnswerLostException(Uri endpoint, string? key = null)
    : CommandFailedException(
        $"{endpoint.Authority} was lost before it answered: whether the request happened is unknown.",
        key is null ? "Look whether it is there before you send it again." : SameKey(key),
        Cli.ExitCode.GuaranteeNotReached)
{
    public Uri Endpoint => endpoint;

    /// <summary>How a write is sent again without harm.</summary>
    public static string SameKey(string key) => $"Send the same again with {CommandName.Current} sql --key '{key}': it is not applied twice, and the answer says what became of it.";
}

/// <summary>The cluster answered with a problem.</summary>
public sealed class RequestRefusedException(ProblemView problem)
    : CommandFailedException(problem.Detail ?? problem.Title ?? $"Refused with status {problem.Status}.", null, problem.ExitCode)
{
    public ProblemView Problem { get; } = problem;
}
