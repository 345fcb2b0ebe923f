#if POLYGRAPH_PLANTED_BUGS
using Polygraph.Protocol.Effects;

namespace Polygraph.Protocol.LeaderBased;

public sealed partial class GroupCore
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);

    static partial void PlantBefore(string bug, Effect early, EffectList effects)
    {
        if (BugSwitch.Take(bug))
            effects.Add(early);
    }

    static partial void PlantInstead(string bug, Effect wrong, EffectList effects)
    {
        if (BugSwitch.Take(bug))
            effects.ReplaceLast(wrong);
    }
}

internal sealed partial class AckTracker
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}

internal sealed partial class PeerProgress
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}

internal sealed partial class VoterIndexes
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);
}
#endif
