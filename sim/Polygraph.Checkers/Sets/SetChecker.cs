using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Sets;

/// <summary>Judges each set of a history, as Jepsen's checkers "set" and "set-full" do: what was acknowledged is there at the end, and nothing else.</summary>
internal static class SetChecker
{
    public static void Check(History history, Findings findings)
    {
        var keys = history.Operations.GroupBy(operation => operation.Key ?? "", StringComparer.Ordinal).ToArray();
        var (elements, finalReads, lostAllowed) = (0, 0, 0);
        foreach (var key in keys)
        {
            var set = new OneSet([.. key], history.Header, findings);
            set.Check();
            elements += set.ElementCount;
            finalReads += set.FinalReadCount;
            lostAllowed += set.LostAllowed;
        }

        findings.Note($"{keys.Length:n0} {(keys.Length == 1 ? "key" : "keys")}, {elements:n0} elements, {finalReads:n0} final {(finalReads == 1 ? "read" : "reads")}");
        if (lostAllowed > 0)
            findings.Note($"{lostAllowed:n0} lost as the ack level allows");
        if (keys.Length > 0 && finalReads == 0)
            findings.Refuse("without a final read nothing is known of what was lost");
    }

    private sealed class OneSet
    {
        private readonly HistoryHeader _header;
        private readonly Findings _findings;
        private readonly Elements _elements;
        private readonly (Operation Read, int[] Numbers)[] _reads;
        private readonly Operation[] _acknowledged;

        public OneSet(Operation[] operations, HistoryHeader header, Findings findings)
        {
            (_header, _findings) = (header, findings);
            _elements = new Elements(operations);
            _reads =
            [
                .. operations.Where(operation => operation is { Kind: OperationKind.Read, Type: OperationType.Ok })
                    .OrderBy(read => read.StartNanoseconds)
                    .Select(read => (read, _elements.NumbersOf(read))),
            ];
            _acknowledged = [.. operations.Where(operation => operation is { Kind: OperationKind.Add, Type: OperationType.Ok }).OrderBy(add => add.EndNanoseconds)];
        }

        public int ElementCount => _elements.Count;

        public int FinalReadCount => _reads.Count(read => read.Read.IsFinal);

        /// <summary>Acknowledged elements that are gone, at an ack level that allows it.</summary>
        public int LostAllowed { get; private set; }

        public void Check()
        {
            var marks = new int[_elements.Count];
            for (var i = 0; i < _reads.Length; i++)
                _elements.CheckPresence(_reads[i].Read, _reads[i].Numbers, marks, i + 1, _findings);
            CheckAbsence();
        }

        // Absent from a read is what was there for certain before it began: acknowledged by then, or seen by a read that was over.
        private void CheckAbsence()
        {
            var present = new int[_elements.Count];
            var lastPresent = new int[_elements.Count];
            for (var i = 0; i < _reads.Length; i++)
                foreach (var number in _reads[i].Numbers)
                    lastPresent[number] = i + 1;
            var (nextAdd, nextRead) = (0, 0);
            var endOrder = Enumerable.Range(0, _reads.Length).OrderBy(i => _reads[i].Read.EndNanoseconds).ToArray();
            var due = new List<(int Element, Operation Because)>();
            var isDue = new bool[_elements.Count];
            var isReported = new bool[_elements.Count];
            for (var i = 0; i < _reads.Length; i++)
            {
                var (read, numbers) = _reads[i];
                for (; nextAdd < _acknowledged.Length && _acknowledged[nextAdd].EndedBefore(read); nextAdd++)
                    MakeDue(_elements.NumberOf(_acknowledged[nextAdd].In), _acknowledged[nextAdd]);
                for (; nextRead < endOrder.Length && _reads[endOrder[nextRead]].Read.EndedBefore(read); nextRead++)
                    foreach (var number in _reads[endOrder[nextRead]].Numbers)
                        MakeDue(number, _reads[endOrder[nextRead]].Read);
                if (!read.IsFinal && !_header.AreReadsLinearizable)
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
            var read = _reads[readNumber].Read;
            var isElsewhere = read.IsFinal && _reads.Any(other => other.Read.IsFinal && other.Numbers.Contains(element));
            // Seen again: it was not lost, this read was too early.
            var kind = isElsewhere ? AnomalyKinds.Divergent : isSeenLater ? AnomalyKinds.StaleRead : AnomalyKinds.Lost;
            if (kind == AnomalyKinds.Lost && !_header.AreAcksDurable)
                LostAllowed++;
            else
                _findings.Add(kind, () => $"{_elements.ValueOf(element)} is not in {read.InWords()}, although {because.InWords()} was over before it began");
            return true;
        }
    }
}
