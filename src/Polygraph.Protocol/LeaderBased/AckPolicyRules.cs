namespace Polygraph.Protocol.LeaderBased;

/// <summary>Which ack policies a group of a given size can honour.</summary>
public static class AckPolicyRules
{
    /// <summary>
    /// The largest group in which any majority that elects a leader must contain each member of the sync set that acked. A larger one
    /// needs the sync-set election rule.
    /// </summary>
    public const int SemiSyncVotersMax = 3;

    /// <summary>Why <paramref name="policy"/> cannot be honoured by <paramref name="voters"/> voters; null if it can.</summary>
    public static string? Refusal(AckPolicy policy, int voters)
        => policy.Level switch
        {
            AckLevel.None => "an ack level is needed: async, semi-sync, quorum or all",
            AckLevel.SemiSync when voters > SemiSyncVotersMax =>
                $"semi-sync with {voters} voters needs the sync-set election rule, which this version does not have; use quorum",
            AckLevel.SemiSync when policy.Copies < 1 || policy.Copies > voters - 1 =>
                $"semi-sync;k={policy.Copies} is not possible: the group has {voters - 1} followers",
            _ => null,
        };
}
