using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Logs;

/// <summary>Judges each log of a history: all reads are prefixes of one order, that order respects real time, and at the end nothing acknowledged is missing.</summary>
internal static class PrefixChecker
{
    public static void Check(History history, Findings findings)
        => ElementsOfKey.CheckAll(
            history,
            findings,
            operations => new OneLog(operations, history.Header, findings),
            logs => FormattableString.Invariant($"{logs.Sum(log => log.ReadCount):n0} reads, {logs.Sum(log => log.FinalReadCount):n0} of them final"));

    private sealed class OneLog : ElementsOfKey
    {
        private const int Absent = -1;

        private readonly int[] _order;
        private readonly Operation? _longest;
        private readonly int[] _placeOf;

        public OneLog(Operation[] operations, HistoryHeader header, Findings findings)
            : base(operations, OperationKind.Append, header, findings)
        {
            (_longest, _order) = Reads.Length == 0 ? (null, []) : Reads.MaxBy(read => read.Numbers.Length);
            _placeOf = new int[Elements.Count];
            Array.Fill(_placeOf, Absent);
            for (var i = 0; i < _order.Length; i++)
                _placeOf[_order[i]] = i;
        }

        protected override void Check()
        {
            CheckPresence(CheckOrder);
            CheckRealTime();
            CheckLength();
            if (Header.ReadLevel == "session")
                CheckSessions();
        }

        private void CheckOrder(Operation read, int[] numbers)
        {
            var same = numbers.AsSpan().CommonPrefixLength(_order);
            if (same == numbers.Length)
                return;
            var element = numbers[same];
            var kind = _placeOf[element] == Absent ? AnomalyKinds.Divergent : AnomalyKinds.Reordered;
            Findings.Add(
                kind,
                () => $"{read.InWords()} has {Elements.ValueOf(element)} at place {same}, where {_longest!.InWords()} has {Elements.ValueOf(_order[same])}");
        }

        private void CheckRealTime()
        {
            Operation? latest = null;
            foreach (var number in _order)
            {
                if (Elements.WriterOf(number) is not { } writer)
                    continue;
                if (latest is not null && writer.EndedBefore(latest))
                {
                    var before = latest;
                    Findings.Add(AnomalyKinds.Reordered, () => $"{_longest!.InWords()} has {before.In} before {writer.In}, although {writer.InWords()} was over before {before.InWords()} began");
                }

                if (latest is null || writer.StartNanoseconds > latest.StartNanoseconds)
                    latest = writer;
            }
        }

        // A read is too short if it lacks what was there for certain before it began: acknowledged by then, or seen by a read that was over.
        private void CheckLength()
        {
            var (nextAppend, nextRead) = (0, 0);
            var byEnd = Reads.OrderBy(read => read.Read.EndNanoseconds).ToArray();
            var (least, because) = (0, (Operation?)null);
            var missing = new List<Operation>();
            foreach (var (read, numbers) in Reads)
            {
                for (; nextAppend < Acknowledged.Length && IsAckDueIn(read) && Acknowledged[nextAppend].EndedBefore(read); nextAppend++)
                {
                    var place = _placeOf[Elements.NumberOf(Acknowledged[nextAppend].In)];
                    if (place == Absent)
                        missing.Add(Acknowledged[nextAppend]);
                    else if (place >= least)
                        (least, because) = (place + 1, Acknowledged[nextAppend]);
                }

                for (; nextRead < byEnd.Length && byEnd[nextRead].Read.EndedBefore(read); nextRead++)
                    if (byEnd[nextRead].Numbers.Length > least)
                        (least, because) = (byEnd[nextRead].Numbers.Length, byEnd[nextRead].Read);
                if (!read.IsFinal && !Header.AreReadsLinearizable)
                    continue;
                if (numbers.Length < least)
                {
                    var reason = because!;
                    Findings.Add(read.IsFinal ? AnomalyKinds.Divergent : AnomalyKinds.StaleRead, () => $"{read.InWords()} is too short, as {reason.InWords()} was over before it began");
                }

                foreach (var lost in missing)
                    ReportLost(lost, read);
                missing.Clear();
            }
        }

        private void ReportLost(Operation lost, Operation read)
        {
            if (Header.AreAcksDurable)
                Findings.Add(AnomalyKinds.Lost, () => $"{lost.In} is in no read, not even in {read.InWords()}, although {lost.InWords()} was over before it began");
            else
                LostAllowed++;
        }

        private void CheckSessions()
        {
            foreach (var session in Reads.GroupBy(read => read.Read.Session ?? FormattableString.Invariant($"client {read.Read.Client}")))
            {
                var (longest, length) = ((Operation?)null, 0);
                foreach (var (read, numbers) in session)
                {
                    if (longest is { } before && before.EndedBefore(read) && numbers.Length < length)
                        Findings.Add(AnomalyKinds.WentBackwards, () => $"{read.InWords()} is shorter than {before.InWords()} of the same session");
                    if (longest is null || numbers.Length > length)
                        (longest, length) = (read, numbers.Length);
                }
            }
        }
    }
}
