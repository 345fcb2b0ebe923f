namespace Polygraph.Node.Groups;

/// <summary>Whether a unit that changes the schema may run just so. Asked by the writer thread; never blocks.</summary>
internal interface ISchemaRules
{
    /// <summary>Whether the other replicas must try it first, because not all of them are known to run this node's SQLite library.</summary>
    bool MustTry { get; }
}

/// <summary>For <c>_system</c>: its schema is ours, and every SQLite library that Polygraph runs with understands it.</summary>
internal sealed class OwnSchemaRules : ISchemaRules
{
    public static readonly OwnSchemaRules Instance = new();

    private OwnSchemaRules()
    {
    }

    public bool MustTry => false;
}
