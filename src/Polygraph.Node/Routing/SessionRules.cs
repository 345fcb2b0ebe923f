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
    public static bool IsLost(GroupView view, Position? seen)
        => seen is { } position && position.Index <= view.Committed && view.Terms.TermAt(position.Index) != position.Term;
}
