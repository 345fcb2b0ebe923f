namespace Polygraph.Protocol.LeaderBased;

/// <summary>What the core must ask the log about: how many entries fit a message. Answers from memory, never from a disk.</summary>
public interface ILogSizes
{
    /// <summary>
    /// The last index, from <paramref name="first"/> to <paramref name="last"/>, such that the entries from <paramref name="first"/> on
    /// together have at most <paramref name="bytesMax"/> bytes; at least <paramref name="first"/> itself.
    /// </summary>
    LogIndex LastThatFits(LogIndex first, LogIndex last, int bytesMax);
}
