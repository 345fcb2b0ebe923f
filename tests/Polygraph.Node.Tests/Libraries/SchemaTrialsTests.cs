using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Libraries;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Tests.Libraries;

/// <summary>Who is asked before a schema change is made, and what is made of the answers.</summary>
public sealed class SchemaTrialsTests : IDisposable
{
    private static readonly NodeId N1 = new("n1");
    private static readonly NodeId N2 = new("n2");
    private static readonly NodeId N3 = new("n3");
    private static readonly LibraryIdentity Own = new("3.40.1", 40);
    private static readonly LibraryIdentity Old = new("3.35.5", 35);
    private static readonly TrialFailure Strict = new("CREATE TABLE t(a INT) STRICT", "near \"STRICT\": syntax error");

    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-libraries-").FullName;
    private readonly Dictionary<NodeId, IReadOnlyList<TrialFailure>> _answers = [];
    private readonly List<NodeId> _asked = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Nobody_is_asked_when_all_run_the_same_library()
    {
        var census = Census((N2, Own), (N3, Own));

        Assert.Null(census.MustTryOn);
        Assert.Null(await RefusalAsync(census, "CREATE TABLE t(a INT)"));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task A_member_that_cannot_is_named_with_its_version_and_its_reason()
    {
        var census = Census((N2, Own), (N3, Old));
        _answers[N3] = [Strict];

        Assert.NotNull(census.MustTryOn);
        var refusal = await RefusalAsync(census, "CREATE TABLE t(a INT)");
        Assert.Equal((400, "SQLITE_LIBRARIES_DIFFER", Outcome.NotApplied), (refusal!.Status, refusal.Code, refusal.Outcome));
        foreach (var part in new[] { "n3", "3.35.5", Strict.Error, Strict.What, "n1", "3.40.1", "POLYGRAPH_SQLITE" })
            Assert.Contains(part, refusal.Detail, StringComparison.Ordinal);
        Assert.Equal([N3], _asked);
    }

    [Fact]
    public async Task A_member_that_can_does_not_stand_in_the_way()
    {
        var census = Census((N2, Own), (N3, Old));
        _answers[N3] = [];

        Assert.Null(await RefusalAsync(census, "CREATE TABLE t(a INT)"));
    }

    [Fact]
    public async Task What_the_leader_s_own_library_cannot_do_either_is_no_difference()
    {
        var census = Census((N2, Own), (N3, Old));
        _answers[N3] = [new TrialFailure("INSERT INTO \"v\" DEFAULT VALUES", "cannot modify v because it is a view")];

        Assert.Null(await RefusalAsync(census, "CREATE VIEW v AS SELECT 1"));
    }

    [Fact]
    public async Task A_member_that_is_down_is_answered_for_by_another_with_its_library()
    {
        var census = Census((N2, Old), (N3, Old));
        _answers[N3] = [];

        Assert.Null(await RefusalAsync(census, "CREATE TABLE t(a INT)"));
        Assert.Equal([N2, N3], _asked);
    }

    [Fact]
    public async Task A_member_with_another_library_that_cannot_be_asked_holds_up_the_change_and_is_named()
    {
        var refusal = await RefusalAsync(Census((N2, Own), (N3, Old)), "CREATE TABLE t(a INT)");

        Assert.Equal((503, "SQLITE_LIBRARIES_DIFFER", Outcome.NotApplied), (refusal!.Status, refusal.Code, refusal.Outcome));
        Assert.Contains("n3 ran SQLite 3.35.5", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_that_never_told_holds_up_the_change_even_if_others_that_never_told_could()
    {
        var census = Census((N2, Own));
        _answers[N3] = [];

        Assert.NotNull(census.MustTryOn);
        var refusal = await RefusalAsync(census, "CREATE TABLE t(a INT)");
        Assert.Equal(503, refusal!.Status);
        Assert.Contains("n3 has never told n1", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_members_said_is_remembered_over_a_restart_until_they_say_something_else()
    {
        Census((N2, Own), (N3, Own));
        Assert.Null(Census().MustTryOn);

        Census((N3, Old));
        var census = Census();
        Assert.Equal([new MemberLibrary(N3, Old)], census.OtherLibraries());

        census.Heard(N3, null);
        Assert.Equal([new MemberLibrary(N3, null)], Census().OtherLibraries());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"n2\":1}")]
    [InlineData("[{\"node\":\"n2\",\"version\":\"3\",\"fingerprint\":\"zz\"}]")]
    [InlineData("[{\"node\":\"n2\",\"version\":\"3\"}]")]
    public void A_file_that_cannot_be_read_means_that_nothing_is_known(string text)
    {
        File.WriteAllText(Path.Combine(_directory, "sqlite-libraries.json"), text);

        Assert.Equal([new MemberLibrary(N2, null), new MemberLibrary(N3, null)], Census().OtherLibraries());
    }

    private LibraryCensus Census(params (NodeId Node, LibraryIdentity Library)[] heard)
    {
        var census = new LibraryCensus(N1, [N1, N2, N3], Own, new LibraryFile(_directory), NullLogger.Instance);
        foreach (var (node, library) in heard)
            census.Heard(node, library);
        return census;
    }

    private Task<Wire.Sql.SqlProblem?> RefusalAsync(LibraryCensus census, string sql)
        => new SchemaTrials(census, AnswerAsync).RefusalAsync(new SchemaPlan([], [new SchemaOperation(sql)]));

    private Task<SchemaTrialReply?> AnswerAsync(NodeId node, SchemaPlan plan)
    {
        _asked.Add(node);
        return Task.FromResult(_answers.TryGetValue(node, out var failures) ? new SchemaTrialReply(Old.Version, failures) : null);
    }
}
