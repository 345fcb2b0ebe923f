#if POLYGRAPH_PLANTED_BUGS
namespace Polygraph.Protocol.Effects;

public sealed partial class EffectList
{
    internal void ReplaceLast(Effect wrong) => _effects[^1] = wrong;
}
#endif
