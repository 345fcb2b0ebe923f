using Polygraph.Fuzz.Formats.Http;
using Polygraph.Fuzz.Formats.Storage;
using Polygraph.Fuzz.Formats.Wire;

namespace Polygraph.Fuzz.Formats;

/// <summary>Everything that is fuzzed, in the order of the report.</summary>
internal static class AllFormats
{
    public static readonly IReadOnlyList<Format> List =
    [
        new PeerFrames(),
        new Hellos(),
        new Welcomes(),
        new SqlRequests(),
        new SqlResponses(),
        new TransactionCalls(),
        new TransactionAnswers(),
        new PeerStatuses(),
        new Entries(),
        new Payloads(),
        new PayloadResults(),
        new LogDirectories(),
        new LogBases(),
        new CutFiles(),
        new CutNames(),
        new Votes(),
        new CheckpointMarkers(),
        new WriteAheadLogs(),
        new Manifests(),
        new IncomingSnapshots(),
        new Seeds(),
        new NodeFiles(),
        new SqlJson(),
        new HranaBodies(isCursor: false),
        new HranaBodies(isCursor: true),
        new RequestHeaders(),
        new Queries(),
        new Texts(),
        new SessionTokens(),
        new Batons(),
        new SqlTexts(),
        new Histories(),
    ];

    public static Format? Find(string name) => List.FirstOrDefault(format => format.Name == name);
}
