using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;

namespace Polygraph.Node.Routing;

/// <summary>What holds for a session on every path, whatever it asks for next.</summary>
internal static class SessionRules
{
    /// <summary>
    /// Whether the session saw an entry that this history, committed that far, does not hold. It must be told before it goes on: a write would
    /// otherwise carry it over to the new history as if nothing had happened.
    /// </summary>
    /// <remarks>
    /// An entry behind all that is committed is lost too if what is committed has reached a newer term: terms never fall along a log.
    /// </remarks>
    public static bool IsLost(GroupView view, Position? seen)
        => seen is { } position
            && (position.Index <= view.Committed
                ? view.Terms.TermAt(position.Index) != position.Term
                : view.Terms.TermAt(view.Committed) > position.Term);

    /// <summary>
    /// Whether the session saw a newer term than this replica knows: whoever leads here is deposed and has not heard of it. A write that it took at
    /// "async" would vanish, and the session's token, which never goes back, would not even remember it.
    /// </summary>
    public static bool IsAhead(GroupView view, Position? seen) => seen is { } position && position.Term > view.Term;
}
