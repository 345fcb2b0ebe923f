using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Libraries;

/// <summary>
/// Which SQLite library every member runs, by what it said last: each says it first on every connection. Remembered on disk, because who is down
/// still has to apply what is decided meanwhile. Any thread.
/// </summary>
internal sealed class LibraryCensus : ISchemaRules
{
    private readonly LibraryFile _file;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<NodeId> _others;

    // Guarded by this, but for reads of _mustTryOn: 0 while all are alike.
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeId, LibraryIdentity> _known;
    private long _changes = 1;
    private long _mustTryOn;

    public LibraryCensus(NodeId self, IReadOnlyList<NodeId> members, LibraryIdentity own, LibraryFile file, ILogger logger)
    {
        Self = self;
        Own = own;
        _file = file;
        _logger = logger;
        _others = [.. members.Where(member => member != self)];
        _known = file.Read();
        Judge();
    }

    public NodeId Self { get; }

    /// <summary>This node's library.</summary>
    public LibraryIdentity Own { get; }

    /// <inheritdoc/>
    public long? MustTryOn => Volatile.Read(ref _mustTryOn) is var changes and not 0 ? changes : null;

    /// <summary>The members that do not run this node's library, or are not known to; with what they said last.</summary>
    public IReadOnlyList<MemberLibrary> OtherLibraries()
    {
        lock (_gate)
        {
            return
            [
                .. _others
                    .Select(node => new MemberLibrary(node, _known.GetValueOrDefault(node)))
                    .Where(member => member.Library?.Fingerprint != Own.Fingerprint),
            ];
        }
    }

    /// <summary>A member is connected; <paramref name="library"/> is what it runs, null if its version does not tell.</summary>
    public void Heard(NodeId node, LibraryIdentity? library)
    {
        lock (_gate)
        {
            if (_known.GetValueOrDefault(node) == library)
                return;
            if (library is null)
                _known.Remove(node);
            else
                _known[node] = library;
            _changes++;
            Judge();
            Write();
        }

        if (library?.Fingerprint != Own.Fingerprint)
            LibraryLog.Differs(_logger, node, library?.Version ?? "unknown", Own.Version);
    }

    private void Judge() => Volatile.Write(ref _mustTryOn, OtherLibraries().Count == 0 ? 0 : _changes);

    private void Write()
    {
        try
        {
            _file.Write(_known);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What is in memory is right; a node that restarts with an older file asks again, or refuses.
            LibraryLog.NotRemembered(_logger, failure);
        }
    }
}

/// <summary>What is known of a member's library: null if nothing is.</summary>
internal readonly record struct MemberLibrary(NodeId Node, LibraryIdentity? Library);
