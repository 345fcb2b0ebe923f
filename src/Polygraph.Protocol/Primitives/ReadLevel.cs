namespace Polygraph.Protocol;

/// <summary>What a read promises about the state that it sees. A consistent prefix holds at every level but <see cref="Local"/>.</summary>
public enum ReadLevel : byte
{
    /// <summary>Everything committed before the read began is seen (a read-index round). Any node can answer.</summary>
    Linearizable = 0,

    /// <summary>At least what the session's token names: own writes, and never back in time.</summary>
    Session = 1,

    /// <summary>At most so old, in time or in entries; measured, not estimated.</summary>
    Bounded = 2,

    /// <summary>Whatever this replica has committed and applied, labelled with its staleness.</summary>
    Any = 3,

    /// <summary>Whatever this SQLite shows, on a leader also what is not yet committed and may vanish.</summary>
    Local = 4,
}
