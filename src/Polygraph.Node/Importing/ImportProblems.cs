using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Importing;

/// <summary>How an import can end otherwise than asked. Nothing was created in any of them.</summary>
internal static class ImportProblems
{
    /// <summary>The code of the only answer that says that a file can never be a database there.</summary>
    public const string RefusedCode = "IMPORT_REFUSED";

    /// <summary>
    /// Whether the disk failed or is full. What the client did to its body (too slow, cut short, reset) is an <see cref="IOException"/> too, and none of
    /// the disk's: the boundary of requests answers it.
    /// </summary>
    public static bool IsOfTheDisk(Exception e)
        => DiskTrouble.IsOfTheDisk(e) && e is not (BadHttpRequestException or ConnectionResetException);

    /// <summary>Why a file of which everything was read cannot be prepared there.</summary>
    public static string Unusable(NodeId node, SqliteException e) => $"SQLite {SqliteLibrary.Version} of {node} cannot use it ({e.CodeName}: {e.Message}).";

    public static SqlProblem Refused(string reason) => Of(400, RefusedCode, "The file cannot be imported", reason);

    public static SqlProblem Changed(string sum, string announced, string received)
        => Of(400, "DIGEST_MISMATCH", "The file did not arrive as it was sent", $"Its {sum} was announced as {announced}, and what arrived has {received}. Import it again.");

    public static SqlProblem Busy(NodeId node) => Of(503, "BUSY", "Nobody can accept this now", $"{node} takes in another file already. Try again when it is done, or another node.");

    public static SqlProblem NoRoom(NodeId node, string reason) => Of(507, "NO_ROOM", "The file cannot be kept", $"{node}: {reason}.");

    public static SqlProblem NoMajority(int reachable, int voters)
        => Of(503, "NO_MAJORITY", "Nobody can accept this now", $"Of {voters} nodes {reachable} can be reached: a majority must hold an imported file. Start the others, and import again.");

    public static SqlProblem LostMajority(int holders, int voters, string failures)
        => Of(503, "NO_MAJORITY", "The file did not reach a majority", $"Of {voters} nodes {holders} hold it ({failures}). Nothing was created; import it again.");

    /// <summary>Between nodes: the file of a seed is not there, as after a restart.</summary>
    public static SqlProblem SeedUnknown(NodeId node) => Of(409, "SEED_UNKNOWN", "The file is not here", $"{node} does not hold that file, or no longer.");

    /// <summary>Between nodes: a seed comes in once.</summary>
    public static SqlProblem SeedKnown(NodeId node) => Of(409, "SEED_KNOWN", "The file is here", $"{node} has that file already, or takes it in.");

    /// <summary>Between nodes: only what the log of <c>_system</c> says decides about a file that was promised.</summary>
    public static SqlProblem SeedPromised(NodeId node)
        => Of(409, "SEED_PROMISED", "The file is kept", $"{node} has promised to keep that file, and removes it when _system says that the import was abandoned.");

    private static SqlProblem Of(int status, string code, string title, string detail) => new(status, code, title, detail, Outcome.NotApplied);
}
