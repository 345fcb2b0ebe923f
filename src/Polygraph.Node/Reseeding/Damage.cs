using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Log;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Node.Reseeding;

/// <summary>What of a replica must be made anew.</summary>
internal enum Damage : byte
{
    /// <summary>Nothing: the log ends before the leader's begins. SQLite shows an old state until there is a new one.</summary>
    Behind = 0,

    /// <summary>SQLite only. The log is whole: it goes on, so this replica goes on acknowledging and voting.</summary>
    Database = 1,

    /// <summary>The log, and with it SQLite. What it acknowledged may be gone, so it neither votes nor leads until it has learned everything again.</summary>
    Log = 2,
}

/// <summary>A replica's SQLite and its log do not fit together: files were mixed up, restored apart, or a disk lied about a sync.</summary>
/// <param name="message">What does not fit.</param>
/// <param name="isLogShort">Whether the log lacks what SQLite holds, so that it may lack what it acknowledged.</param>
internal sealed class FilesDisagreeException(string message, bool isLogShort) : Exception(message)
{
    public bool IsLogShort { get; } = isLogShort;
}

/// <summary>Which failures are damage that a copy from another node mends.</summary>
internal static class DamageRules
{
    /// <summary>What must be made anew; null if the failure is of another kind, which a new copy would not mend or would hide.</summary>
    public static Damage? Of(Exception failure, string votePath)
        => failure switch
        {
            DivergenceException or DatabaseDamagedException => Damage.Database,
            SqliteException { IsDamage: true } => Damage.Database,
            FilesDisagreeException disagree => disagree.IsLogShort ? Damage.Log : Damage.Database,

            // A vote that cannot be read could be given twice: nothing but a new identity mends that.
            LogCorruptedException log => log.Path == votePath ? null : Damage.Log,
            _ => null,
        };

    /// <summary>What a copy must hold to mend the failure: an older one would be led through the same entry again, to the same end.</summary>
    public static LogIndex PositionOf(Exception failure) => failure is DivergenceException divergence ? divergence.Position.Index : LogIndex.Zero;

    /// <summary>The failure in words for people.</summary>
    public static string Describe(Exception failure)
        => failure is SqliteException { IsDamage: true } damage ? DatabaseDamagedException.FoundBySqlite(damage).Message : failure.Message;
}
