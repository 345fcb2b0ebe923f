using Polygraph.Protocol;

namespace Polygraph.Node.Groups;

/// <summary>Whoever opened a replica, and can close it and give it a new copy. Called on the replica's threads; must not block.</summary>
internal interface IReplicaOwner
{
    /// <summary>The replica stopped serving, and why. Once a replica.</summary>
    void Failed(Replica replica, Exception failure);

    /// <summary>The replica cannot go on from the leader's log. Said again and again while that is so.</summary>
    void NeedsSnapshot(Replica replica, Position after);

    /// <summary>Whether a copy for this replica is on its way. The log behind the copy is needed once that is in place.</summary>
    bool IsFetchingFor(Replica replica);
}
