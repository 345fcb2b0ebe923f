using Polygraph.Node.Groups;

namespace Polygraph.Node.Reseeding;

/// <summary>Where the replicas of this node are: one place a database, in which one replica takes the place of another.</summary>
internal interface IReplicaPlaces : IReplicaOwner
{
    /// <summary>The replica that is open; null while there is none.</summary>
    Replica? Find(Protocol.GroupId database);

    /// <summary>
    /// Closes the replica that is open, if one is, runs a step while none is, and opens what the step returns; null leaves the place empty. Does
    /// nothing if the database was dropped. Throws what the step throws; the place is then empty.
    /// </summary>
    Task ReplaceAsync(DatabaseInfo database, string meanwhile, Func<Replica?> step);

    /// <summary>Says why a database is not served here as it should be, and what is being done about it; null: it is.</summary>
    void Explain(DatabaseInfo database, string? reason);
}
