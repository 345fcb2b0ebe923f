namespace Polygraph.Node.Groups;

/// <summary>Whether a unit may make other replicas run SQL just so. Asked by the writer thread; never blocks.</summary>
internal interface ISchemaRules
{
    /// <summary>
    /// Not null while the other replicas must try it first, because not all of them are known to run this node's SQLite library; another number
    /// each time one of them changes.
    /// </summary>
    long? MustTryOn { get; }
}

/// <summary>For <c>_system</c>: its schema is ours, and every SQLite library that Polygraph runs with understands it.</summary>
internal sealed class OwnSchemaRules : ISchemaRules
{
    public static readonly OwnSchemaRules Instance = new();

    private OwnSchemaRules()
    {
    }

    public long? MustTryOn => null;
}
