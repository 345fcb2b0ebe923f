using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Sets;

/// <summary>Judges each set of a history, as Jepsen's checkers "set" and "set-full" do: what was acknowledged is there at the end, and nothing else.</summary>
internal static class SetChecker
{
    public static void Check(History history, Findings findings)
        => ElementsOfKey.CheckAll(
            history,
            findings,
            operations => new OneSet(operations, history.Header, findings),
            sets => Note(sets.Sum(set => set.ElementCount), sets.Sum(set => set.FinalReadCount)));

    private static string Note(int elements, int finalReads)
        => FormattableString.Invariant($"{elements:n0} elements, {finalReads:n0} final {(finalReads == 1 ? "read" : "reads")}");

    private sealed class OneSet(Operation[] operations, HistoryHeader header, Findings findings) : ElementsOfKey(operations, OperationKind.Add, header, findings)
    {
        protected override void Check()
        {
            CheckPresence(static (_, _) => { });
            CheckAbsence();
        }

        // Absent from a read is what was there for certain before it began: acknowledged by then, or seen by a read that was over.
        private void CheckAbsence()
        {
            var present = new int[Elements.Count];
            var lastPresent = new int[Elements.Count];
            for (var i = 0; i < Reads.Length; i++)
                foreach (var number in Reads[i].Numbers)
                    lastPresent[number] = i + 1;
            var (nextAdd, nextRead) = (0, 0);
            var endOrder = Enumerable.Range(0, Reads.Length).OrderBy(i => Reads[i].Read.EndNanoseconds).ToArray();
            var due = new List<(int Element, Operation Because)>();
            var isDue = new bool[Elements.Count];
            var isReported = new bool[Elements.Count];
            for (var i = 0; i < Reads.Length; i++)
            {
                var (read, numbers) = Reads[i];
                for (; nextAdd < Acknowledged.Length && IsAckDueIn(read) && Acknowledged[nextAdd].EndedBefore(read); nextAdd++)
                    MakeDue(Elements.NumberOf(Acknowledged[nextAdd].In), Acknowledged[nextAdd]);
                for (; nextRead < endOrder.Length && Reads[endOrder[nextRead]].Read.EndedBefore(read); nextRead++)
                    foreach (var number in Reads[endOrder[nextRead]].Numbers)
                        MakeDue(number, Reads[endOrder[nextRead]].Read);
                if (!read.IsFinal && !Header.AreReadsLinearizable)
                    continue;
                foreach (var number in numbers)
                    present[number] = i + 1;
                foreach (var (element, because) in due)
                    if (present[element] != i + 1 && !isReported[element])
                        isReported[element] = Report(i, element, because, lastPresent[element] > i + 1);
            }

            void MakeDue(int element, Operation because)
            {
                if (isDue[element])
                    return;
                isDue[element] = true;
                due.Add((element, because));
            }
        }

        private bool Report(int readNumber, int element, Operation because, bool isSeenLater)
        {
            var read = Reads[readNumber].Read;
            var isElsewhere = read.IsFinal && Reads.Any(other => other.Read.IsFinal && other.Numbers.Contains(element));
            // Seen again: it was not lost, this read was too early.
            var kind = isElsewhere ? AnomalyKinds.Divergent : isSeenLater ? AnomalyKinds.StaleRead : AnomalyKinds.Lost;
            if (kind == AnomalyKinds.Lost && !Header.AreAcksDurable)
                LostAllowed++;
            else
                Findings.Add(kind, () => $"{Elements.ValueOf(element)} is not in {read.InWords()}, although {because.InWords()} was over before it began");
            return true;
        }
    }
}
