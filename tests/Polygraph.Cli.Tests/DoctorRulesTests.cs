using Polygraph.Cli.Client;
using Polygraph.Cli.Doctor;
using Polygraph.Node.Diagnosis;

namespace Polygraph.Cli.Tests;

/// <summary>Each thing that can be wrong is noticed alone, and nothing is noticed where nothing is wrong.</summary>
public class DoctorRulesTests
{
    private const long GiB = 1L << 30;

    private static readonly NodeDiagnosis Healthy = new(
        "n1", "0.1.0", 0,
        new SystemFacts("host", "Linux", "x64", "10.0.0", 2, 8 * GiB, 65536, 200),
        new SqliteFacts("system", "/usr/lib/libsqlite3.so.0", "3.40.1", "source", "serialized", []),
        new DirectoryFacts("/data", "ext4", 100 * GiB, 200 * GiB, new SyncLatency(30, 150, 900)),
        [new DatabaseSizes("main.1", 1, 0, 1, 0)]);

    public static TheoryData<string, string, NodeDiagnosis> Ills => new()
    {
        { "error", "without threads", Healthy with { Sqlite = Healthy.Sqlite with { ThreadingMode = "single-thread" } } },
        { "warning", "files open", Healthy with { System = Healthy.System with { OpenFilesMax = 1024 } } },
        { "warning", "are left", Healthy with { Directory = Healthy.Directory with { FreeBytes = 2 * GiB } } },
        { "error", "are left", Healthy with { Directory = Healthy.Directory with { FreeBytes = GiB / 4 } } },
        { "error", "is not there any more", Healthy with { Directory = new DirectoryFacts("/data", null, null, null, null) } },
        { "warning", "in memory", Healthy with { Directory = Healthy.Directory with { FileSystem = "tmpfs", Sync = new SyncLatency(30, 1, 2) } } },
        { "error", "network file system", Healthy with { Directory = Healthy.Directory with { FileSystem = "nfs4" } } },
        { "warning", "every write waits", Healthy with { Directory = Healthy.Directory with { Sync = new SyncLatency(30, 30_000, 90_000) } } },
        { "warning", "nothing is synced", Healthy with { Directory = Healthy.Directory with { Sync = new SyncLatency(30, 2, 5) } } },
        { "warning", "later history", Healthy with { Databases = [new DatabaseSizes("main.1", 1, 0, 1, 2)] } },
        { "warning", "A log that is damaged again is not replaced", Healthy with { Databases = [new DatabaseSizes("main.1", 1, 0, 1, 0, DamagedFiles: 2)] } },
    };

    [Fact]
    public void Where_nothing_is_wrong_nothing_is_found()
    {
        Assert.Empty(DoctorRules.OfNode(Healthy));
        Assert.Empty(DoctorRules.OfCluster(View(serving: true), [Answer("n1"), Answer("n2", offset: 900)]));
    }

    [Theory]
    [MemberData(nameof(Ills))]
    public void What_is_wrong_with_a_node_is_said_with_what_to_do(string severity, string what, NodeDiagnosis diagnosis)
    {
        var finding = Assert.Single(DoctorRules.OfNode(diagnosis));
        Assert.Equal(severity, finding.Severity);
        Assert.Contains(what, finding.What, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Advice);
    }

    [Fact]
    public void What_differs_between_nodes_is_said()
    {
        var other = Healthy with { Version = "0.2.0", Sqlite = Healthy.Sqlite with { Version = "3.45.0" } };
        var findings = DoctorRules.OfCluster(View(serving: false), [Answer("n1"), Answer("n2", other, offset: 5000), new NodeAnswer("n3", null, "refused", null, default)]).ToList();

        string[] expected =
        [
            "n3: It does not answer", "cluster: The nodes run different versions of Polygraph", "cluster: The nodes use different versions of SQLite",
            "n2: Its clock differs", "n2: Its copy of main does not serve",
        ];
        Assert.Equal(expected.Length, findings.Count);
        Assert.All(findings.Zip(expected), pair => Assert.StartsWith(pair.Second, $"{pair.First.Where}: {pair.First.What}", StringComparison.Ordinal));
        Assert.All(findings, finding => Assert.EndsWith(".", finding.What, StringComparison.Ordinal));
        Assert.Equal([true, false, false, false, true], findings.Select(finding => finding.IsError));
    }

    [Fact]
    public void A_difference_of_clocks_within_the_error_of_the_comparison_is_none()
        => Assert.Empty(DoctorRules.OfCluster(null, [Answer("n1"), Answer("n2", offset: 3000) with { ClockError = TimeSpan.FromSeconds(2.5) }]));


    private static NodeAnswer Answer(string node, NodeDiagnosis? diagnosis = null, int offset = 0)
        => new(node, (diagnosis ?? Healthy) with { Node = node }, null, TimeSpan.FromMilliseconds(offset), TimeSpan.FromMilliseconds(1));

    private static ClusterView View(bool serving)
        => new("test", "id", [], [new DatabaseView("main", "leader", "logical", "quorum", "n1", 1, [Replica("n1", true), Replica("n2", serving)])]);

    private static ReplicaView Replica(string node, bool serving) => new(node, "follower", 1, 1, 1, 1, "", 0, 0, serving, serving ? null : "it stopped");
}
