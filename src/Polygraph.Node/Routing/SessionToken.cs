using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Polygraph.Protocol;

namespace Polygraph.Node.Routing;

/// <summary>
/// What a session has seen: a position in each database that it used. Opaque to clients, versioned, and bound to one cluster. Immutable.
/// </summary>
internal sealed class SessionToken
{
    /// <summary>Databases in one token: 256 of 20 bytes are a header of 7 KiB, which HTTP servers still take.</summary>
    public const int DatabasesMax = 256;

    private const byte Version = 1;
    private const int HeaderBytes = 1 + 16;
    private const int PositionBytes = 4 + 8 + 8;

    private readonly ClusterId _cluster;
    private readonly SortedDictionary<GroupId, Position> _positions;

    private SessionToken(ClusterId cluster, SortedDictionary<GroupId, Position> positions)
    {
        _cluster = cluster;
        _positions = positions;
    }

    /// <summary>A session that has seen nothing.</summary>
    public static SessionToken Empty(ClusterId cluster) => new(cluster, []);

    /// <summary>What the session saw of a database; null if it never used it.</summary>
    public Position? PositionIn(GroupId database) => _positions.TryGetValue(database, out var position) ? position : null;

    /// <summary>The token after the session has seen one more position; never goes back.</summary>
    public SessionToken With(GroupId database, Position position)
    {
        if (_positions.TryGetValue(database, out var known) && known >= position)
            return this;
        var positions = new SortedDictionary<GroupId, Position>(_positions) { [database] = position };
        if (positions.Count > DatabasesMax)
            positions.Remove(positions.Keys.First(id => id != database));
        return new SessionToken(_cluster, positions);
    }

    /// <summary>Reads a token; if it is not one of this cluster, <paramref name="error"/> says why.</summary>
    public static bool TryParse(
        string text, ClusterId cluster, [NotNullWhen(true)] out SessionToken? token, [NotNullWhen(false)] out string? error)
    {
        token = null;
        error = "The session token is not one of Polygraph's: send back exactly what the last response's Polygraph-Session header held, or none.";
        if (text.Length > Base64Url.GetEncodedLength(HeaderBytes + (DatabasesMax * PositionBytes)) || !Base64Url.IsValid(text))
            return false;
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length < HeaderBytes || bytes[0] != Version || (bytes.Length - HeaderBytes) % PositionBytes != 0)
            return false;
        if (BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(1)) != cluster.Value)
        {
            error = "The session token is of another cluster: begin a new session by sending no token.";
            return false;
        }

        var positions = new SortedDictionary<GroupId, Position>();
        for (var rest = bytes.AsSpan(HeaderBytes); !rest.IsEmpty; rest = rest[PositionBytes..])
        {
            var database = new GroupId(BinaryPrimitives.ReadUInt32LittleEndian(rest));
            positions[database] = new Position(
                new Term(BinaryPrimitives.ReadUInt64LittleEndian(rest[4..])), new LogIndex(BinaryPrimitives.ReadUInt64LittleEndian(rest[12..])));
        }

        token = new SessionToken(cluster, positions);
        error = null;
        return true;
    }

    /// <summary>The token as clients carry it.</summary>
    public override string ToString()
    {
        var bytes = new byte[HeaderBytes + (_positions.Count * PositionBytes)];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(1), _cluster.Value);
        var rest = bytes.AsSpan(HeaderBytes);
        foreach (var (database, position) in _positions)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(rest, database.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[4..], position.Term.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[12..], position.Index.Value);
            rest = rest[PositionBytes..];
        }

        return Base64Url.EncodeToString(bytes);
    }
}
