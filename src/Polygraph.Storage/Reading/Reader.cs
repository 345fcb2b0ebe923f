using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>A read-only connection, lent by a <see cref="ReaderPool"/> to one thread at a time. Dispose gives it back.</summary>
public sealed class Reader : IDisposable
{
    private Reader()
    {
    }

    /// <summary>Runs a unit in one read transaction and tells the position of the snapshot that it saw. Writes are refused.</summary>
    public ReadExecution Execute(SqlUnit unit) => throw new NotImplementedException();

    /// <summary>
    /// Whether the unit must go to the leader's writer. It is compiled against this replica's schema; what does not compile counts as a
    /// write only if the unit has a write before it (which may create what is missing).
    /// </summary>
    public UnitClass Classify(SqlUnit unit) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
