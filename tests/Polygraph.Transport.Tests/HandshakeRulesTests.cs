using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tests;

/// <summary>Who belongs together: n1 (this node) looks at what n2 says of itself.</summary>
public sealed class HandshakeRulesTests
{
    private static readonly ClusterId OtherCluster = new(0xC2);

    private static readonly Hello FormingHello = Identities.Forming(2).ToHello();

    private static readonly Hello FormedHello = Identities.Formed(2).ToHello();

    public static TheoryData<string, bool, string?> Cases =>
        new()
        {
            // what n2 is                  n1 formed   n1 answers
            { "forming, as configured",       false,   null },
            { "forming, other peers",         false,   HandshakeRules.WrongPeerSet },
            { "forming, fewer peers",         false,   HandshakeRules.WrongPeerSet },
            { "forming, other incarnation",   false,   null },
            { "formed",                       false,   null },
            { "formed, other peers",          false,   null },
            { "formed, other cluster",        false,   null },
            { "called n1",                    false,   HandshakeRules.UnknownNode },
            { "called n9",                    false,   HandshakeRules.UnknownNode },
            { "too old",                      false,   HandshakeRules.WrongVersion },
            { "too new",                      false,   HandshakeRules.WrongVersion },
            { "newer but able",               false,   null },

            { "forming, as configured",       true,    null },
            { "forming, other peers",         true,    null },
            { "forming, other incarnation",   true,    HandshakeRules.WrongIncarnation },
            { "formed",                       true,    null },
            { "formed, other cluster",        true,    HandshakeRules.WrongCluster },
            { "formed, other incarnation",    true,    HandshakeRules.WrongIncarnation },
            { "called n1",                    true,    HandshakeRules.UnknownNode },
            { "called n9",                    true,    HandshakeRules.UnknownNode },
            { "too old",                      true,    HandshakeRules.WrongVersion },
            { "too new",                      true,    HandshakeRules.WrongVersion },
            { "newer but able",               true,    null },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_answer_to_each_kind_of_peer(string remote, bool formed, string? code)
    {
        var local = formed ? Identities.Formed(1) : Identities.Forming(1);

        var welcome = HandshakeRules.Check(local, Remote(remote));

        Assert.Equal(code, welcome.Code);
        Assert.Equal(code is null, welcome.Reason is null);
    }

    [Fact]
    public void A_known_name_with_another_data_directory_is_told_what_happened_and_what_to_do()
    {
        var welcome = HandshakeRules.Check(Identities.Formed(1), Remote("forming, other incarnation"));

        Assert.Contains("emptied, replaced or copied", welcome.Reason, StringComparison.Ordinal);
        Assert.Contains("old data directory", welcome.Reason, StringComparison.Ordinal);
        Assert.Contains("admitted anew", welcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_is_dialled_must_be_who_answers()
    {
        var local = Identities.Formed(1);

        Assert.Null(HandshakeRules.Check(local, FormedHello, dialled: new("n2")).Code);
        Assert.Equal(HandshakeRules.UnknownNode, HandshakeRules.Check(local, FormedHello, dialled: new("n3")).Code);
    }

    [Fact]
    public void A_node_that_is_not_a_member_is_unknown_even_if_it_is_configured()
    {
        var local = Identities.Forming(1) with { Formed = new(Identities.Cluster, [new(new("n1"), new(1)), new(new("n3"), new(3))]) };

        Assert.Equal(HandshakeRules.UnknownNode, HandshakeRules.Check(local, FormingHello).Code);
    }

    private static Hello Remote(string kind)
        => kind switch
        {
            "forming, as configured" => FormingHello,
            "forming, other peers" => FormingHello with { PeerSet = [new("n1"), new("n2"), new("n4")] },
            "forming, fewer peers" => FormingHello with { PeerSet = [new("n1"), new("n2")] },
            "forming, other incarnation" => FormingHello with { Incarnation = new(99) },
            "formed" => FormedHello,
            "formed, other peers" => FormedHello with { PeerSet = [new("n1"), new("n2")] },
            "formed, other cluster" => FormedHello with { Cluster = OtherCluster },
            "formed, other incarnation" => FormedHello with { Incarnation = new(99) },
            "called n1" => FormedHello with { Node = new("n1") },
            "called n9" => FormedHello with { Node = new("n9") },
            "too old" => FormedHello with { ProtocolVersion = LocalIdentity.OldestVersion - 1, OldestVersion = 0 },
            "too new" => FormedHello with { ProtocolVersion = 9, OldestVersion = LocalIdentity.ProtocolVersion + 1 },
            "newer but able" => FormedHello with { ProtocolVersion = 9, OldestVersion = LocalIdentity.ProtocolVersion },
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such case."),
        };
}
