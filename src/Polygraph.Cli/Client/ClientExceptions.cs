namespace Polygraph.Cli.Client;

/// <summary>No node could be connected to; nothing was sent.</summary>
public sealed class ClusterUnreachableException(IReadOnlyList<Uri> endpoints, string reason)
    : CommandFailedException(
        $"No node answers at {string.Join(", ", endpoints.Select(endpoint => endpoint.Authority))} ({reason}).",
        $"Start a cluster with: {CommandName.Current} up    or name a node with --url http://HOST:PORT (or {Endpoints.Variable}).");

/// <summary>A request was sent and the connection was lost before the answer: whether it happened is unknown.</summary>
public sealed class AnswerLostException(Uri endpoint)
    : CommandFailedException(
        $"{endpoint.Authority} was lost before it answered: whether the request happened is unknown.",
        "Read the data to see whether it is there before you send it again.",
        Cli.ExitCode.GuaranteeNotReached);

/// <summary>The cluster answered with a problem.</summary>
public sealed class RequestRefusedException(ProblemView problem)
    : CommandFailedException(problem.Detail ?? problem.Title ?? $"Refused with status {problem.Status}.", null, problem.ExitCode)
{
    public ProblemView Problem { get; } = problem;
}
