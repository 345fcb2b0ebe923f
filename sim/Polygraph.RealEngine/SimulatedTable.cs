using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Nodes;
using Polygraph.Storage;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.RealEngine;

/// <summary>The rows of the simulated world as a table of SQLite: there from the beginning, all of them zero.</summary>
internal static class SimulatedTable
{
    /// <summary>Makes the database file that every node begins with.</summary>
    public static void Create(string path)
    {
        using var connection = SqliteConnection.Open(path, readOnly: false);
        connection.Execute("CREATE TABLE pair(id INTEGER PRIMARY KEY, value INTEGER NOT NULL)");
        for (var key = 0; key < KeyValueState.Keys; key++)
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO pair VALUES ({key}, 0)"));
    }

    /// <summary>Changes a row behind the engine's back, as rot or a careless person does.</summary>
    public static void Change(string path, int key, int by)
    {
        using var connection = SqliteConnection.Open(path, readOnly: false);
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"UPDATE pair SET value = value + {by} WHERE id = {key}"));
    }

    /// <summary>What a client asks for.</summary>
    public static SqlUnit Unit(WriteRequest request)
        => new(
            UnitMode.Atomic,
            [
                new SqlStep.Execute(new SqlStatement(
                    "UPDATE pair SET value = ? WHERE id = ?",
                    [new SqlArgument(null, SqlValue.FromInteger((long)request.Value)), new SqlArgument(null, SqlValue.FromInteger(request.Key))])),
            ]);

    /// <summary>Everything that a database shows: position, rows, executed keys.</summary>
    public static KeyValueState Read(ReplicaDatabase database)
    {
        var keys = new List<(ulong Key, Position Position)>();
        using var statement = database.Connection.Prepare("SELECT key, term, idx FROM polygraph_idempotency");
        while (statement.Step())
        {
            keys.Add((
                ulong.Parse(statement.ColumnText(0), CultureInfo.InvariantCulture),
                new Position(new Term((ulong)statement.ColumnInteger(1)), new LogIndex((ulong)statement.ColumnInteger(2)))));
        }

        return KeyValueState.Of(PositionOf(database), Rows(database), keys);
    }

    /// <summary>What differs between two states; null if nothing does.</summary>
    public static string? Difference(KeyValueState expected, KeyValueState found)
    {
        if (expected.Position != found.Position)
            return $"SQLite shows {found.Position}, not {expected.Position}";
        for (var key = 0; key < KeyValueState.Keys; key++)
            if (expected[key] != found[key])
                return $"at {expected.Position} row {key} is {found[key]}, not {expected[key]}";
        return expected.Digest == found.Digest ? null : $"at {expected.Position} other idempotency keys are remembered";
    }

    /// <summary>As <see cref="Difference"/>, without the keys, of which there are many.</summary>
    public static string? RowDifference(KeyValueState expected, ReplicaDatabase database)
    {
        if (database.Applied != expected.Position)
            return $"SQLite shows {database.Applied}, not {expected.Position}";
        var rows = Rows(database);
        for (var key = 0; key < KeyValueState.Keys; key++)
            if (expected[key] != rows[key])
                return $"at {expected.Position} row {key} is {rows[key]}, not {expected[key]}";
        return null;
    }

    // As SQLite has it, not as the engine remembers it.
    private static Position PositionOf(ReplicaDatabase database)
    {
        using var statement = database.Connection.Prepare("SELECT term, idx FROM polygraph_position");
        return statement.Step()
            ? new Position(new Term((ulong)statement.ColumnInteger(0)), new LogIndex((ulong)statement.ColumnInteger(1)))
            : Position.Zero;
    }

    private static ulong[] Rows(ReplicaDatabase database)
    {
        var rows = new ulong[KeyValueState.Keys];
        using var statement = database.Connection.Prepare("SELECT id, value FROM pair");
        while (statement.Step())
            rows[statement.ColumnInteger(0)] = (ulong)statement.ColumnInteger(1);
        return rows;
    }
}
