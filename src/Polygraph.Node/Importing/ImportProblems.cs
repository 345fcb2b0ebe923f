using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Importing;

/// <summary>How an import can end otherwise than asked. Nothing was created in any of them.</summary>
internal static class ImportProblems
{
    public static SqlProblem Refused(string reason) => Of(400, "IMPORT_REFUSED", "The file cannot be imported", reason);

    public static SqlProblem Changed(string announced, string received)
        => Of(400, "DIGEST_MISMATCH", "The file did not arrive as it was sent", $"Its SHA-256 was announced as {announced}, and what arrived has {received}. Import it again.");

    public static SqlProblem Busy(NodeId node) => Of(503, "BUSY", "Nobody can accept this now", $"{node} takes in another file already. Try again when it is done, or another node.");

    public static SqlProblem NoRoom(NodeId node, string reason) => Of(507, "NO_ROOM", "The file cannot be kept", $"{node}: {reason}.");

    public static SqlProblem NoMajority(int reachable, int voters)
        => Of(503, "NO_MAJORITY", "Nobody can accept this now", $"Of {voters} nodes {reachable} can be reached: a majority must hold an imported file. Start the others, and import again.");

    public static SqlProblem LostMajority(int holders, int voters, string failures)
        => Of(503, "NO_MAJORITY", "The file did not reach a majority", $"Of {voters} nodes {holders} hold it ({failures}). Nothing was created; import it again.");

    private static SqlProblem Of(int status, string code, string title, string detail) => new(status, code, title, detail, Outcome.NotApplied);
}
