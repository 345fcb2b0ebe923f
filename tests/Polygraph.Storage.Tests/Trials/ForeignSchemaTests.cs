using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Tests.Trials;

/// <summary>A schema that this library does not understand is said when the replica opens or when the change arrives, with what to do.</summary>
public sealed class ForeignSchemaTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("polygraph-storage-").FullName, "database.sqlite");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Theory]
    [InlineData("CREATE TABLE t(id INTEGER PRIMARY KEY, v) FROM THE FUTURE", "cannot read the schema")]
    [InlineData("CREATE TABLE t(id INTEGER PRIMARY KEY, v, CHECK(made_up(v) > 0))", "cannot write table \"t\"")]
    public void A_replica_whose_schema_is_not_understood_does_not_open(string sql, string what)
    {
        using (ReplicaDatabase.Open(_path, ReplicaDatabaseOptions.Default))
        {
        }

        using (var connection = SqliteConnection.Open(_path, readOnly: false))
        {
            connection.Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
            connection.Execute("PRAGMA writable_schema=ON");
            using var edit = connection.Prepare("UPDATE sqlite_master SET sql = ? WHERE name = 't'");
            edit.Bind(1, sql).Run();
        }

        var refusal = Assert.Throws<SchemaNotUnderstoodException>(() => ReplicaDatabase.Open(_path, ReplicaDatabaseOptions.Default).Dispose());
        Assert.Contains(what, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"SQLite {SqliteLibrary.Version}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("POLYGRAPH_SQLITE", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_that_cannot_be_applied_stops_the_replica_with_the_reason_and_nothing_of_it_has_happened()
    {
        using var replica = ReplicaDatabase.Open(_path, ReplicaDatabaseOptions.Default);
        var payload = new LogicalPayloadWriter();
        payload.WriteVersion();
        payload.WriteSchema("CREATE TABLE good(a)");
        payload.WriteSchema("CREATE TABLE bad(a) FROM THE FUTURE");
        payload.WriteEnd([]);
        var header = new EntryHeader { Position = new Position(new Term(1), new LogIndex(1)), Payload = PayloadFormat.Logical, Principal = "test" };

        var refusal = Assert.Throws<SchemaNotUnderstoodException>(
            () => replica.Apply([new LogEntry(header.Position, EntryCodec.Encode(header, payload.Written))]));
        Assert.Contains("cannot run \"CREATE TABLE bad(a) FROM THE FUTURE\"", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(Position.Zero, replica.Applied);
        Assert.Empty(replica.Digests);
    }
}
