namespace Polygraph.Cli.Hosting;

/// <summary>The one place where the command meets <c>Polygraph.Node</c>.</summary>
public static class NodeRunner
{
    /// <summary>Runs a node until the token is cancelled, then ends it well.</summary>
    public static Task<int> RunAsync(NodeArguments arguments, CancellationToken cancellation)
        => throw new CommandFailedException($"Node {arguments.Id} cannot run: this build has no node yet.");
}
