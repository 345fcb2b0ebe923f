using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Workloads;

/// <summary>What the clients of a history do. One object a history, used by all its clients at once.</summary>
internal interface IWorkload
{
    Workload Kind { get; }

    /// <summary>What is run before the first operation.</summary>
    IReadOnlyList<Statement> Schema { get; }

    /// <summary>What each account holds at first, for banks.</summary>
    IReadOnlyDictionary<string, long> Accounts => new Dictionary<string, long>();

    /// <summary>The next operation of a client.</summary>
    Step Next(Dice dice, Levels levels);

    /// <summary>The reads, of every node in turn, when all is over.</summary>
    IEnumerable<Step> FinalReads(string readLevel);
}
