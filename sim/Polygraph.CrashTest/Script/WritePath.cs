using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;

namespace Polygraph.CrashTest.Script;

/// <summary>
/// The life of a replica in one script: it is created, votes, leads, checkpoints with and without readers in the way, loses entries to a newer
/// history, is rewound, drops old segments, is closed and opened again, and goes on.
/// </summary>
internal sealed class WritePath(IFileSystem files, string home, Planted planted, Action<Report> tell, History? recorded = null)
{
    private static readonly Term First = new(1);
    private static readonly Term Second = new(3);

    public void Run()
    {
        using (var machine = Machine.Open(files, home, planted))
        {
            Vote(machine, First);
            Lead(machine, First, "CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER, note TEXT)", "CREATE TABLE event(account INTEGER, body BLOB)");
            for (var round = 1; round <= 3; round++)
                Lead(machine, First, Inserts(round));
            Checkpoint(machine);
            Lead(machine, First, "ALTER TABLE account ADD COLUMN kind TEXT", "CREATE INDEX by_kind ON account(kind)", "UPDATE account SET kind = 'a' WHERE id < 3");
            CheckpointBehindReader(machine);
            LoseToNewerHistory(machine);
            Lead(machine, Second, Inserts(6));
            Checkpoint(machine);
            DropOld(machine);
            Lead(machine, Second, "DELETE FROM account WHERE id > 5", "INSERT INTO event SELECT id, zeroblob(600) FROM account");
        }

        using var again = Machine.Open(files, home, planted);
        again.Replay();
        Lead(again, Second, Inserts(7));
        Checkpoint(again);
        Lead(again, Second, "UPDATE account SET balance = balance + 1");
    }

    private static string[] Inserts(int round)
        =>
        [
            $"INSERT INTO account(id, balance, note) VALUES({round * 2}, {round}, '{new string((char)('a' + round), 300)}')",
            $"INSERT INTO event VALUES({round}, zeroblob({round * 150}))",
            $"UPDATE account SET balance = balance + {round}",
        ];

    private void Vote(Machine machine, Term term)
    {
        machine.Votes.Save(new(term, new NodeId("n1")));
        tell(new(Fact.Voted, new(term, LogIndex.Zero)));
    }

    private void Lead(Machine machine, Term term, params string[] statements)
    {
        var entries = machine.Execute(term, statements, entry => recorded?.Add(entry, machine.Digests));
        if (planted == Planted.AckBeforeWrite)
            tell(new(Fact.Durable, entries[^1].Position));
        Persist(machine, entries);
    }

    private void Persist(Machine machine, IReadOnlyList<LogEntry> entries)
    {
        machine.Persist(entries);
        tell(new(Fact.Durable, machine.Log.Last));
    }

    private void Checkpoint(Machine machine)
    {
        var outcome = machine.Checkpoint();
        Invariant.Holds(outcome == CheckpointOutcome.Complete, $"nothing is in the way of a checkpoint, which was {outcome}");
        tell(new(Fact.Checkpointed, machine.Database.Applied));
    }

    private void CheckpointBehindReader(Machine machine)
    {
        using (machine.Database.Readers.OpenSnapshot())
        {
            Lead(machine, First, Inserts(4));
            Invariant.Holds(machine.Checkpoint() == CheckpointOutcome.Incomplete, "a reader of an older snapshot is in the way of a checkpoint");
            Lead(machine, First, Inserts(5));
        }

        Checkpoint(machine);
    }

    /// <summary>Executes and logs what a newer history lacks, then takes it back and follows that history.</summary>
    private void LoseToNewerHistory(Machine machine)
    {
        var kept = machine.Log.Last;
        Lead(machine, First, "DELETE FROM account", "DROP TABLE event", "CREATE TABLE lost(id INTEGER PRIMARY KEY)", "INSERT INTO lost VALUES(1)");
        Vote(machine, Second);

        tell(new(Fact.Cutting, new(Second, kept.Index.Next)));
        machine.Log.Tail.CutFrom(kept.Index.Next);
        machine.Log.CutFrom(kept.Index.Next, "the script");
        tell(new(Fact.Cut, new(Second, kept.Index.Next)));
        machine.Rewind();
        machine.Replay();

        var noOp = Machine.NoOp(new(Second, kept.Index.Next));
        recorded?.Add(noOp, machine.Digests);
        Persist(machine, [noOp]);
        machine.Replay();
    }

    private void DropOld(Machine machine)
    {
        tell(new(Fact.Dropping, machine.Database.Applied));
        machine.Log.DropBefore(machine.Database.Applied.Index);
        tell(new(Fact.Dropped, new(Term.Zero, machine.Log.First)));
    }
}

/// <summary>What a script does when nothing goes wrong: each entry's bytes, and the digests of all tables after it.</summary>
internal sealed class History
{
    private readonly Dictionary<Position, (byte[] Record, string Digests)> _entries = new() { [Position.Zero] = ([], "") };

    public void Add(LogEntry entry, string digests) => _entries[entry.Position] = (entry.Record.ToArray(), digests);

    public bool Holds(LogEntry entry) => _entries.TryGetValue(entry.Position, out var known) && entry.Record.Span.SequenceEqual(known.Record);

    public string DigestsAt(Position position)
        => _entries.TryGetValue(position, out var known) ? known.Digests : throw new BadStateException($"nothing ever stood at {position}");
}

/// <summary>What recovery left is not what may be left.</summary>
internal sealed class BadStateException(string what) : Exception(what);
