using Polygraph.Cli.Client;

namespace Polygraph.Cli.Processes;

/// <summary>The cluster's state in one line a database, for messages about what was waited for.</summary>
public static class ClusterText
{
    public static string Describe(ClusterView view)
        => string.Join(
            "\n            ",
            view.Databases.Select(Describe).Prepend(string.Join(", ", view.Nodes.Select(node => $"{node.Id} {node.State}"))));

    private static string Describe(DatabaseView database)
        => $"{database.Name}: leader {database.Leader ?? "none"}, term {database.Term}; "
            + string.Join("; ", database.Replicas.Select(Describe));

    private static string Describe(ReplicaView replica)
        => $"{replica.Node} {replica.Role} appended {replica.Appended} durable {replica.Durable} committed {replica.Committed} applied {replica.Applied}";
}
