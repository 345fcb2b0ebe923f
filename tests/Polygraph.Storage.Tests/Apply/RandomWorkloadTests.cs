using System.Globalization;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Apply;

/// <summary>
/// Random units of random statements over tables with constraints, triggers and cascades, in random batches, some of which fail in every way
/// that SQLite knows. Leader, follower and a replica that replays everything at the end must be the same. A failure names its seed.
/// </summary>
public sealed class RandomWorkloadTests
{
    private const int Batches = 60;

    private static readonly string[] Schema =
    [
        "CREATE TABLE p(id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL DEFAULT 0)",
        "CREATE TABLE c(id INTEGER PRIMARY KEY AUTOINCREMENT, p REFERENCES p(id) ON DELETE CASCADE ON UPDATE CASCADE, v TEXT, touched)",
        "CREATE TABLE d(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED, k, v REAL, PRIMARY KEY(k, p)) WITHOUT ROWID",
        "CREATE TABLE r(a UNIQUE ON CONFLICT REPLACE, b UNIQUE ON CONFLICT FAIL, g AS (a * 2) STORED)",
        "CREATE TABLE log(what, n)",
        "CREATE TRIGGER c1 BEFORE UPDATE OF v ON c BEGIN UPDATE c SET touched = coalesce(touched, 0) + 1 WHERE id = OLD.id; END",
        "CREATE TRIGGER c2 AFTER DELETE ON c BEGIN INSERT INTO log VALUES ('deleted ' || OLD.id, random()); END",
        "CREATE TRIGGER p1 AFTER INSERT ON p WHEN NEW.u % 7 = 3 BEGIN INSERT OR REPLACE INTO r(a, b) VALUES (NEW.u, NEW.id); END",
        "CREATE TRIGGER p2 AFTER UPDATE ON p WHEN NEW.n = 13 BEGIN SELECT RAISE(ROLLBACK, 'thirteen'); END",
        "CREATE TRIGGER p3 AFTER UPDATE ON p WHEN NEW.n = 17 BEGIN SELECT RAISE(FAIL, 'seventeen'); END",
    ];

    private static readonly string[] Statements =
    [
        "INSERT INTO p(u, n) VALUES (#, #)", "INSERT OR REPLACE INTO p VALUES (#, #, #)", "INSERT OR IGNORE INTO p VALUES (#, #, #), (#, #, #)",
        "INSERT OR FAIL INTO p VALUES (#, #, 1), (#, #, 2), (#, #, 3)", "INSERT OR ROLLBACK INTO p VALUES (#, #, #)",
        "INSERT INTO p VALUES (#, #, #) ON CONFLICT(u) DO UPDATE SET n = n + 1", "UPDATE p SET n = # WHERE id < #", "UPDATE p SET id = # WHERE id = #",
        "UPDATE OR REPLACE p SET u = # WHERE id > #", "DELETE FROM p WHERE id = #", "INSERT INTO c(p, v) VALUES (#, 'v#'), (NULL, #)",
        "UPDATE c SET v = v || '#' WHERE id % 5 = # % 5", "DELETE FROM c WHERE id % 7 = # % 7", "INSERT INTO d VALUES (#, #, #)",
        "UPDATE OR IGNORE d SET k = k + 1", "DELETE FROM d WHERE p NOT IN (SELECT id FROM p) OR k = #", "INSERT INTO r(a, b) VALUES (#, #), (#, #)",
        "UPDATE r SET a = b, b = a WHERE a > #", "DELETE FROM log WHERE rowid % 3 = # % 3", "UPDATE c SET v = abs(-9223372036854775807 - (id % 9 = #))",
        "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "PRAGMA defer_foreign_keys=ON", "SELECT count(*) FROM c",
        "ALTER TABLE log ADD COLUMN x# DEFAULT #", "CREATE TABLE IF NOT EXISTS made# AS SELECT *, random() FROM p", "DROP TABLE IF EXISTS made#",
        "CREATE INDEX IF NOT EXISTS i# ON c(v)",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Replicas_stay_the_same(int seed)
    {
        var random = new Random(seed);
        using var pair = new ReplicaPair();
        pair.Run(Schema);
        var (failed, entries) = (0, 0);
        for (var batch = 0; batch < Batches; batch++)
        {
            pair.Leader.BeginBatch();
            for (var units = random.Next(1, 6); units > 0; units--)
            {
                var execution = pair.Execute(RandomUnit(random));
                failed += execution.Result.FirstError is null ? 0 : 1;
                entries += execution.Entry is null ? 0 : 1;
            }

            if (random.Next(10) > 0)
                pair.Leader.CommitBatch();
            else
                pair.RollbackBatch();
            if (random.Next(5) == 0)
                pair.AssertSame();
        }

        pair.AssertSame();
        using var replayed = new ReplicaPair();
        replayed.Follower.Apply(pair.History);
        Assert.Equal(pair.Leader.Digests.OrderBy(table => table.Key), replayed.Follower.Digests.OrderBy(table => table.Key));
        // A workload in which nothing fails, or everything does, would prove little.
        Assert.InRange(failed, 20, 300);
        Assert.InRange(entries, 60, 400);
    }

    private static SqlUnit RandomUnit(Random random)
    {
        var statements = Enumerable.Range(0, random.Next(1, 7)).Select(_ => Fill(random, Statements[random.Next(Statements.Length)])).ToArray();
        return random.Next(3) == 0 ? Units.Atomic(statements) : Units.Autocommit(statements);
    }

    private static string Fill(Random random, string template)
        => string.Concat(template.Select(letter => letter == '#' ? random.Next(20).ToString(CultureInfo.InvariantCulture) : letter.ToString()));
}
