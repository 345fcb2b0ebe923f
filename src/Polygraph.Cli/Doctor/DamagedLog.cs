using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Cli.Doctor;

/// <summary>What can be done about a log that is damaged.</summary>
internal static class DamagedLog
{
    /// <summary>The node replaces one log: while parts of an earlier one are kept, nobody has decided what becomes of the writes in them.</summary>
    /// <param name="directory">Where the log is.</param>
    public static string Advice(string directory)
        => DiskFileSystem.Instance.List(directory).Any(name => name.EndsWith(ReplicaHome.DamagedSuffix, StringComparison.Ordinal))
            ? $"It is not replaced: parts of a log that was damaged before are kept in {directory} as *{ReplicaHome.DamagedSuffix}, and may hold writes that exist nowhere else. "
                + "Look at the disk, move those files away when you know what becomes of those writes, then restart the node."
            : "Restart the node: if the cluster has other nodes, it puts the damaged log aside and takes a copy from one of them. Look at the disk.";
}
