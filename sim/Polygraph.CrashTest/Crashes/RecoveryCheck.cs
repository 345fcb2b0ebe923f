using Polygraph.CrashTest.Script;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.CrashTest.Crashes;

/// <summary>
/// Recovers what a crash left and holds it against what was told before: nothing durable is lost, SQLite is at a position of the log and equals what
/// was there, and the replica goes on to work.
/// </summary>
internal sealed class RecoveryCheck(string home, History history, IReadOnlyList<Report> reports, Planted planted)
{
    /// <exception cref="BadStateException">The state is not one that may be found.</exception>
    public void Run()
    {
        using (var machine = Machine.Open(DiskFileSystem.Instance, home, planted))
        {
            CheckLog(machine);
            CheckVote(machine.Votes.Current);
            CheckDatabase(machine);
            machine.Replay();
            Expect(machine.Digests == history.DigestsAt(machine.Log.Last), $"the digests after replay to {machine.Log.Last} are those of its first time");
            CheckRows(machine);
            GoOn(machine);
        }

        CheckWhatWentOn();
    }

    private static void Expect(bool holds, string what)
    {
        if (!holds)
            throw new BadStateException($"not so: {what}");
    }

    private Position LastOf(Fact fact) => reports.LastOrDefault(report => report.Fact == fact).Position;

    private bool Told(Fact fact) => reports.Any(report => report.Fact == fact);

    private void CheckLog(Machine machine)
    {
        var log = machine.Log;
        foreach (var entry in log.Last.Index < log.First ? [] : log.Read(log.First, log.Last.Index, int.MaxValue))
            Expect(history.Holds(entry), $"the entry {entry.Position} is the one that was written");

        foreach (var durable in reports.Where(report => report.Fact == Fact.Durable).Select(report => report.Position))
            Expect(IsKept(log, durable), $"{durable}, told to be durable, is in the log (which ends at {log.Last}) or stands among the cut entries");

        var dropped = LastOf(Fact.Dropped);
        Expect(log.First == new LogIndex(1) || Told(Fact.Dropping), "nothing is dropped before it may be");
        Expect(log.First <= LastOf(Fact.Dropping).Index || log.First == new LogIndex(1), "no more is dropped than may be");
        Expect(dropped == Position.Zero || log.First == dropped.Index, "what was dropped does not come back");
    }

    private bool IsKept(ReplicationLog log, Position position)
    {
        if (position.Index <= log.Last.Index && log.Terms.TermAt(position.Index) == position.Term)
            return true;
        var cutting = LastOf(Fact.Cutting);
        return Told(Fact.Cutting)
            && position.Index >= cutting.Index
            && position.Term < cutting.Term
            && CutFile.List(Machine.LogPathOf(home)).SelectMany(file => CutFile.Read(file.Path).Entries).Any(entry => entry.Position == position);
    }

    private void CheckVote(DurableVote vote)
    {
        var told = LastOf(Fact.Voted).Term;
        Expect(vote.Term >= told, $"the vote of {told} is not forgotten, as {vote.Term} is found");
        Expect(vote.Term == Term.Zero || vote.VotedFor == new NodeId("n1"), "the vote is for the one that got it");
    }

    private void CheckDatabase(Machine machine)
    {
        var (log, applied) = (machine.Log, machine.Database.Applied);
        Expect(
            applied.Index <= log.Last.Index && log.Terms.TermAt(applied.Index) == applied.Term,
            $"SQLite, at {applied}, is not ahead of the durable log, which ends at {log.Last}");
        Expect(applied.Index.Next >= log.First, $"the log, from {log.First} on, continues SQLite, at {applied}");
        Expect(applied.Index >= LastOf(Fact.Checkpointed).Index, $"SQLite, at {applied}, is not behind its last checkpoint");
        Expect(machine.Digests == history.DigestsAt(applied), $"the digests at {applied} are those of its first time");
        CheckRows(machine);
    }

    private static void CheckRows(Machine machine)
    {
        using (var statement = machine.Database.Connection.Prepare("PRAGMA integrity_check"))
        {
            statement.Step();
            Expect(statement.ColumnBytes(0).SequenceEqual("ok"u8), "SQLite finds its file whole");
        }

        using var snapshot = machine.Database.Readers.OpenSnapshot();
        foreach (var table in snapshot.FullScan(CancellationToken.None))
            Expect(table.IsConsistent, $"the rows of {table.Table} are those of its digest");
    }

    /// <summary>Leads, writes, checkpoints: whatever was recovered must be good for work.</summary>
    private static void GoOn(Machine machine)
    {
        var term = machine.Votes.Current.Term.Next;
        machine.Votes.Save(new(term, new NodeId("n2")));
        machine.Persist([Machine.NoOp(new(term, machine.Log.Last.Index.Next))]);
        machine.Replay();
        machine.Persist(machine.Execute(term, ["CREATE TABLE after_crash(id INTEGER PRIMARY KEY)", "INSERT INTO after_crash VALUES(7)"]));
        machine.Checkpoint();
        machine.Persist(machine.Execute(term, ["INSERT INTO after_crash VALUES(8)"]));
    }

    private void CheckWhatWentOn()
    {
        using var machine = Machine.Open(DiskFileSystem.Instance, home, planted);
        machine.Replay();
        Expect(machine.Database.Applied == machine.Log.Last, "all of the log is applied");
        using var statement = machine.Database.Connection.Prepare("SELECT sum(id) FROM after_crash");
        statement.Step();
        Expect(statement.ColumnInteger(0) == 15, "what was written after the crash is there");
        CheckRows(machine);
    }
}
