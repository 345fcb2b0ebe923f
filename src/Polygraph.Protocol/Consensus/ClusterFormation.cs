namespace Polygraph.Protocol;

/// <summary>A node and the data directory it was formed with.</summary>
public readonly record struct MemberIdentity(NodeId Id, Incarnation Incarnation);

/// <summary>What the first start of a set of peers agreed on: in every data directory from then on, and never changed by formation again.</summary>
/// <param name="Cluster">The cluster's identity.</param>
/// <param name="Members">Every node and its incarnation, in order of name.</param>
public sealed record FormedCluster(ClusterId Cluster, IReadOnlyList<MemberIdentity> Members)
{
    /// <summary>Whether this exact data directory was there when the cluster was formed.</summary>
    public bool Includes(MemberIdentity node) => Members.Contains(node);

    /// <summary>Whether two descriptions are of the same formation.</summary>
    public bool IsSameAs(FormedCluster other) => Cluster == other.Cluster && Members.SequenceEqual(other.Members);
}

/// <summary>What formation is told. Closed: the nested types are all there are.</summary>
public abstract record FormationInput
{
    private FormationInput()
    {
    }

    /// <summary>The node has started. Once, before anything else.</summary>
    public sealed record Started : FormationInput;

    /// <summary>A peer is connected and its handshake was accepted. <see cref="Cluster"/> is none while the peer itself is forming.</summary>
    public sealed record PeerSeen(MemberIdentity Peer, ClusterId Cluster) : FormationInput;

    /// <summary>The connection to a peer ended.</summary>
    public sealed record PeerLost(NodeId Peer) : FormationInput;

    /// <summary>A formed peer says what was agreed.</summary>
    public sealed record FormedReceived(NodeId From, FormedCluster Formed) : FormationInput;

    /// <summary>The last <see cref="FormationEffect.Persist"/> is durable.</summary>
    public sealed record Persisted : FormationInput;
}

/// <summary>What formation wants done. Closed: the nested types are all there are.</summary>
public abstract record FormationEffect
{
    private FormationEffect()
    {
    }

    /// <summary>Make this durable in the data directory, then report <see cref="FormationInput.Persisted"/>.</summary>
    public sealed record Persist(FormedCluster Formed) : FormationEffect;

    /// <summary>Tell a peer what was agreed. May be lost: it is told again when it connects again.</summary>
    public sealed record Tell(NodeId To, FormedCluster Formed) : FormationEffect;

    /// <summary>The cluster is formed and durable here: its groups may start.</summary>
    public sealed record Complete(FormedCluster Formed) : FormationEffect;

    /// <summary>What a peer is or says does not fit this node; nothing changes here. An operator must look.</summary>
    public sealed record Refuse(NodeId Peer, string Reason) : FormationEffect;
}

/// <summary>
/// How a configured set of peers becomes a cluster at its very first start. The node with the lowest name, once it is connected to all
/// others and all of them are forming too, draws the line: it makes the cluster's id and everybody's incarnation durable, and only then
/// tells. Whoever is formed tells any forming peer that belongs to the same formation.
/// <para>
/// All peers must be there at the first start, so that every incarnation is known from the beginning: a voter whose disk was wiped is then
/// always noticed and can never vote as if it were the old one. Two formations cannot exist side by side, because one node alone can make one,
/// and it is durable there before anybody hears of it; if that disk is lost afterwards, its new incarnation fits nobody who was told.
/// </para>
/// </summary>
/// <remarks>Pure: owned by one thread of the shell, changes memory only.</remarks>
public sealed class ClusterFormation
{
    private readonly MemberIdentity _self;
    private readonly NodeId[] _peers;
    private readonly ClusterId _candidate;
    private readonly SortedDictionary<NodeId, Incarnation> _forming = [];
    private FormedCluster? _formed;
    private bool _durable;

    /// <param name="self">This node and its data directory.</param>
    /// <param name="peerSet">The names of all configured nodes, this one included.</param>
    /// <param name="candidate">A freshly drawn id, used if this node is the one that forms the cluster.</param>
    /// <param name="recovered">What the data directory holds, if it was formed before.</param>
    public ClusterFormation(MemberIdentity self, IEnumerable<NodeId> peerSet, ClusterId candidate, FormedCluster? recovered)
    {
        _self = self;
        _peers = [.. peerSet.Order()];
        _candidate = candidate;
        _formed = recovered;
        _durable = recovered is not null;
        Invariant.Holds(_peers.Contains(self.Id), "a node is one of its own peers");
        Invariant.Holds(!candidate.IsNone, "a cluster's id is not zero");
        Invariant.Holds(recovered is null || recovered.Includes(self), "a data directory belongs to the formation that it holds");
    }

    /// <summary>What was agreed, once it is durable here.</summary>
    public FormedCluster? Formed => _durable ? _formed : null;

    /// <summary>The peers that must still be seen before this node can form the cluster; empty on a node that does not form it.</summary>
    public IEnumerable<NodeId> StillMissing
        => _formed is null && IsFounder ? _peers.Where(peer => peer != _self.Id && !_forming.ContainsKey(peer)) : [];

    private bool IsFounder => _self.Id == _peers[0];

    /// <summary>Takes one input and adds what is to be done to <paramref name="effects"/>, in order.</summary>
    public void Step(FormationInput input, ICollection<FormationEffect> effects)
    {
        switch (input)
        {
            case FormationInput.Started:
                if (Formed is { } recovered)
                    effects.Add(new FormationEffect.Complete(recovered));
                FormIfEverybodyIsThere(effects);
                break;
            case FormationInput.PeerSeen seen:
                OnPeerSeen(seen, effects);
                break;
            case FormationInput.PeerLost lost:
                _forming.Remove(lost.Peer);
                break;
            case FormationInput.FormedReceived received:
                OnFormedReceived(received, effects);
                break;
            case FormationInput.Persisted:
                OnPersisted(effects);
                break;
            default:
                throw new InvariantViolationException($"No handler for input {input.GetType().Name}.");
        }
    }

    private void OnPeerSeen(FormationInput.PeerSeen seen, ICollection<FormationEffect> effects)
    {
        if (!seen.Cluster.IsNone)
        {
            _forming.Remove(seen.Peer.Id);
            return;
        }

        _forming[seen.Peer.Id] = seen.Peer.Incarnation;
        if (Formed is not null)
            TellIfItBelongs(seen.Peer, effects);
        else
            FormIfEverybodyIsThere(effects);
    }

    private void FormIfEverybodyIsThere(ICollection<FormationEffect> effects)
    {
        if (_formed is not null || !IsFounder || StillMissing.Any())
            return;
        var members = _peers.Select(peer => new MemberIdentity(peer, peer == _self.Id ? _self.Incarnation : _forming[peer]));
        Persist(new(_candidate, [.. members]), effects);
    }

    private void OnFormedReceived(FormationInput.FormedReceived received, ICollection<FormationEffect> effects)
    {
        var offered = received.Formed;
        if (_formed is not null)
        {
            if (!_formed.IsSameAs(offered))
            {
                effects.Add(new FormationEffect.Refuse(
                    received.From, $"{received.From} was formed as cluster {offered.Cluster}, this node as {_formed.Cluster}: check the addresses."));
            }
        }
        else if (!offered.Members.Select(member => member.Id).SequenceEqual(_peers))
        {
            effects.Add(new FormationEffect.Refuse(
                received.From,
                $"The cluster of {received.From} was formed of {string.Join(", ", offered.Members.Select(member => member.Id))}, and this node is "
                + $"configured for {string.Join<NodeId>(", ", _peers)}: give all nodes the same peers."));
        }
        else if (!offered.Includes(_self) || offered.Cluster.IsNone)
        {
            effects.Add(new FormationEffect.Refuse(
                received.From,
                $"The cluster of {received.From} knows another data directory as {_self.Id}: this one was emptied or copied. Start {_self.Id} "
                + "with its own data directory."));
        }
        else
        {
            Persist(offered, effects);
        }
    }

    private void Persist(FormedCluster formed, ICollection<FormationEffect> effects)
    {
        _formed = formed;
        effects.Add(new FormationEffect.Persist(formed));
    }

    private void OnPersisted(ICollection<FormationEffect> effects)
    {
        Invariant.Holds(_formed is not null && !_durable, "only a formation that was to be persisted becomes durable");
        _durable = true;
        effects.Add(new FormationEffect.Complete(_formed));
        foreach (var (peer, incarnation) in _forming)
            TellIfItBelongs(new(peer, incarnation), effects);
    }

    private void TellIfItBelongs(MemberIdentity peer, ICollection<FormationEffect> effects)
    {
        effects.Add(_formed!.Includes(peer)
            ? new FormationEffect.Tell(peer.Id, _formed)
            : new FormationEffect.Refuse(
                peer.Id, $"{peer.Id} comes with data directory {peer.Incarnation}, which was not there when the cluster was formed."));
    }
}
