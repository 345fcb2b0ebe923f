#if POLYGRAPH_PLANTED_BUGS
using Polygraph.Protocol;
using Polygraph.Storage.Digests;

namespace Polygraph.Storage.Apply;

internal sealed partial class EntryApplier
{
    static partial void Plant<T>(string bug, ref T value, T wrong) => BugSwitch.Replace(bug, ref value, wrong);

    static partial void PlantDigest(string bug, ref Digest128? found, Digest128 expected, DigestBook book, string table)
    {
        if (found is null || !BugSwitch.Take(bug))
            return;
        found = expected;
        book.Set(table, expected);
    }
}
#endif
