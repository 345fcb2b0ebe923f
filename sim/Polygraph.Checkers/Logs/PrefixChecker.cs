using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Logs;

/// <summary>Judges each log of a history: all reads are prefixes of one order, that order respects real time, and at the end nothing acknowledged is missing.</summary>
internal static class PrefixChecker
{
    public static void Check(History history, Findings findings)
    {
        var keys = history.Operations.GroupBy(operation => operation.Key ?? "", StringComparer.Ordinal).ToArray();
        var (reads, finalReads, lostAllowed) = (0, 0, 0);
        foreach (var key in keys)
        {
            var log = new OneLog([.. key], history.Header, findings);
            log.Check();
            reads += log.ReadCount;
            finalReads += log.FinalReadCount;
            lostAllowed += log.LostAllowed;
        }

        findings.Note($"{keys.Length:n0} {(keys.Length == 1 ? "key" : "keys")}, {reads:n0} reads, {finalReads:n0} of them final");
        if (lostAllowed > 0)
            findings.Note($"{lostAllowed:n0} lost as the ack level allows");
        if (keys.Length > 0 && finalReads == 0)
            findings.Refuse("without a final read nothing is known of what was lost");
    }

    private sealed class OneLog
    {
        private const int Absent = -1;

        private readonly HistoryHeader _header;
        private readonly Findings _findings;
        private readonly Elements _elements;
        private readonly (Operation Read, int[] Numbers)[] _reads;
        private readonly Operation[] _acknowledged;
        private readonly int[] _order;
        private readonly Operation? _longest;
        private readonly int[] _placeOf;

        public OneLog(Operation[] operations, HistoryHeader header, Findings findings)
        {
            (_header, _findings) = (header, findings);
            _elements = new Elements(operations);
            _reads =
            [
                .. operations.Where(operation => operation is { Kind: OperationKind.Read, Type: OperationType.Ok })
                    .OrderBy(read => read.StartNanoseconds)
                    .Select(read => (read, _elements.NumbersOf(read))),
            ];
            _acknowledged = [.. operations.Where(operation => operation is { Kind: OperationKind.Append, Type: OperationType.Ok }).OrderBy(append => append.EndNanoseconds)];
            (_longest, _order) = _reads.Length == 0 ? (null, []) : _reads.MaxBy(read => read.Numbers.Length);
            _placeOf = new int[_elements.Count];
            Array.Fill(_placeOf, Absent);
            for (var i = 0; i < _order.Length; i++)
                _placeOf[_order[i]] = i;
        }

        public int ReadCount => _reads.Length;

        public int FinalReadCount => _reads.Count(read => read.Read.IsFinal);

        /// <summary>Acknowledged elements that are gone, at an ack level that allows it.</summary>
        public int LostAllowed { get; private set; }

        public void Check()
        {
            var marks = new int[_elements.Count];
            for (var i = 0; i < _reads.Length; i++)
            {
                _elements.CheckPresence(_reads[i].Read, _reads[i].Numbers, marks, i + 1, _findings);
                CheckOrder(_reads[i].Read, _reads[i].Numbers);
            }

            CheckRealTime();
            CheckLength();
            if (_header.ReadLevel == "session")
                CheckSessions();
        }

        private void CheckOrder(Operation read, int[] numbers)
        {
            var same = numbers.AsSpan().CommonPrefixLength(_order);
            if (same == numbers.Length)
                return;
            var element = numbers[same];
            var kind = _placeOf[element] == Absent ? AnomalyKinds.Divergent : AnomalyKinds.Reordered;
            _findings.Add(
                kind,
                () => $"{read.InWords()} has {_elements.ValueOf(element)} at place {same}, where {_longest!.InWords()} has {_elements.ValueOf(_order[same])}");
        }

        private void CheckRealTime()
        {
            Operation? latest = null;
            foreach (var number in _order)
            {
                if (_elements.WriterOf(number) is not { } writer)
                    continue;
                if (latest is not null && writer.EndedBefore(latest))
                {
                    var before = latest;
                    _findings.Add(AnomalyKinds.Reordered, () => $"{_longest!.InWords()} has {before.In} before {writer.In}, although {writer.InWords()} was over before {before.InWords()} began");
                }

                if (latest is null || writer.StartNanoseconds > latest.StartNanoseconds)
                    latest = writer;
            }
        }

        // A read is too short if it lacks what was there for certain before it began: acknowledged by then, or seen by a read that was over.
        private void CheckLength()
        {
            var (nextAppend, nextRead) = (0, 0);
            var byEnd = _reads.OrderBy(read => read.Read.EndNanoseconds).ToArray();
            var (least, because) = (0, (Operation?)null);
            var missing = new List<Operation>();
            foreach (var (read, numbers) in _reads)
            {
                for (; nextAppend < _acknowledged.Length && _acknowledged[nextAppend].EndedBefore(read); nextAppend++)
                {
                    var place = _placeOf[_elements.NumberOf(_acknowledged[nextAppend].In)];
                    if (place == Absent)
                        missing.Add(_acknowledged[nextAppend]);
                    else if (place >= least)
                        (least, because) = (place + 1, _acknowledged[nextAppend]);
                }

                for (; nextRead < byEnd.Length && byEnd[nextRead].Read.EndedBefore(read); nextRead++)
                    if (byEnd[nextRead].Numbers.Length > least)
                        (least, because) = (byEnd[nextRead].Numbers.Length, byEnd[nextRead].Read);
                if (!read.IsFinal && !_header.AreReadsLinearizable)
                    continue;
                if (numbers.Length < least)
                {
                    var reason = because!;
                    _findings.Add(read.IsFinal ? AnomalyKinds.Divergent : AnomalyKinds.StaleRead, () => $"{read.InWords()} is too short, as {reason.InWords()} was over before it began");
                }

                foreach (var lost in missing)
                    ReportLost(lost, read);
                missing.Clear();
            }
        }

        private void ReportLost(Operation lost, Operation read)
        {
            if (_header.AreAcksDurable)
                _findings.Add(AnomalyKinds.Lost, () => $"{lost.In} is in no read, not even in {read.InWords()}, although {lost.InWords()} was over before it began");
            else
                LostAllowed++;
        }

        private void CheckSessions()
        {
            foreach (var session in _reads.GroupBy(read => read.Read.Session ?? FormattableString.Invariant($"client {read.Read.Client}")))
            {
                var (longest, length) = ((Operation?)null, 0);
                foreach (var (read, numbers) in session)
                {
                    if (longest is { } before && before.EndedBefore(read) && numbers.Length < length)
                        _findings.Add(AnomalyKinds.WentBackwards, () => $"{read.InWords()} is shorter than {before.InWords()} of the same session");
                    if (longest is null || numbers.Length > length)
                        (longest, length) = (read, numbers.Length);
                }
            }
        }
    }
}
