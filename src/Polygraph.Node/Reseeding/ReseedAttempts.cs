using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Reseeding;

/// <summary>
/// How often one database may be given a copy. Only copies that were fetched count, whatever became of them: a question that another node refuses, or a
/// full disk, costs nothing and says nothing about this replica. Owner: the database's case.
/// </summary>
internal sealed class ReseedAttempts
{
    /// <summary>Copies fetched within <see cref="Within"/>.</summary>
    public const int Max = 6;

    public static readonly TimeSpan Within = TimeSpan.FromHours(1);

    private readonly Queue<Instant> _fetched = new();
    private Exception? _last;

    /// <summary>Whether no more may be fetched for now.</summary>
    public bool AreSpent(Instant now)
    {
        while (_fetched.TryPeek(out var first) && now - first > Within)
            _fetched.Dequeue();
        return _fetched.Count >= Max;
    }

    /// <summary>An attempt has ended.</summary>
    /// <param name="now">When.</param>
    /// <param name="fetched">Whether any part of a copy came.</param>
    /// <param name="failure">Why the copy is not in place; null: it is.</param>
    public void Note(Instant now, bool fetched, Exception? failure)
    {
        if (!fetched || (failure is not null && DiskTrouble.Of(failure) is { IsFull: true }))
            return;
        _fetched.Enqueue(now);
        _last = failure;
    }

    /// <summary>What was tried, and where a person should look.</summary>
    public string Describe()
        => $"{Max} copies were fetched within {Within.TotalMinutes} minutes" + _last switch
        {
            null => ", and the replica needed another each time. Look at this node's disk and memory.",
            SnapshotRefusedException => $"; the last could not be used: {Sentence(_last)} Look at the nodes that gave the copies, at the network and at this node's memory.",
            SnapshotUnavailableException => $"; the last did not arrive whole: {Sentence(_last)} Look at the network between this node and the others.",
            _ => $"; the last could not be kept here: {Sentence(_last)} Look at this node's disk and its permissions.",
        };

    private static string Sentence(Exception failure) => failure.Message.TrimEnd('.') + ".";
}
