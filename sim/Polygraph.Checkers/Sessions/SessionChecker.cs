using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Sessions;

/// <summary>
/// Judges the four session guarantees of Terry et al., "Session Guarantees for Weakly Consistent Replicated Data" (PDIS 1994): read your writes,
/// monotonic reads, monotonic writes, writes follow reads. Where operations carry positions they are compared; values are compared in any case.
/// </summary>
internal sealed class SessionChecker
{
    private readonly Findings _findings;
    private readonly HistoryHeader _header;
    private readonly Dictionary<(string Key, Value Value), Version> _versions = [];
    private readonly Dictionary<string, SessionLog> _sessions;

    private SessionChecker(History history, Findings findings)
    {
        (_findings, _header) = (findings, history.Header);
        _sessions = history.Operations
            .GroupBy(operation => operation.Session ?? FormattableString.Invariant($"client {operation.Client}"), StringComparer.Ordinal)
            .ToDictionary(session => session.Key, session => new SessionLog(session.Key, session), StringComparer.Ordinal);
        foreach (var operation in history.Operations)
            if (operation.Kind == OperationKind.Write)
                NoteWrite(operation);
        foreach (var session in _sessions.Values)
            NotePrefixes(session);
    }

    /// <exception cref="UnusableHistoryException">A value is written twice to a register.</exception>
    public static void Check(History history, Findings findings)
    {
        var checker = new SessionChecker(history, findings);
        var keys = history.Operations.Select(operation => operation.Key ?? "").Distinct(StringComparer.Ordinal).Count();
        findings.Note($"{keys:n0} {(keys == 1 ? "key" : "keys")}, {checker._sessions.Count:n0} sessions");
        foreach (var read in history.Operations.Where(operation => operation is { Kind: OperationKind.Read, Type: OperationType.Ok }))
            checker.NoteRead(read);
        foreach (var session in checker._sessions.Values)
        {
            checker.CheckPositions(session);
            new SessionView(checker, session).Check();
        }

        if (history.Header.AreAcksDurable)
            checker.CheckFinalReads(history);
    }

    private Version VersionOf(string? key, Value value)
    {
        if (!_versions.TryGetValue((key ?? "", value), out var version))
            _versions.Add((key ?? "", value), version = new Version(value) { ThereNanoseconds = value.IsNull ? long.MinValue : long.MaxValue });
        return version;
    }

    private void NoteWrite(Operation write)
    {
        var version = VersionOf(write.Key, write.In);
        if (version.Writer is { Type: not OperationType.Fail } first && write.Type != OperationType.Fail)
            throw new UnusableHistoryException($"values of a register must be unique, but {first.InWords()} and {write.InWords()} use the same");
        if (version.Writer is not null && write.Type == OperationType.Fail)
            return;
        version.Writer = write;
        if (write.Type == OperationType.Ok)
            version.ThereNanoseconds = write.EndNanoseconds!.Value;
    }

    private void NotePrefixes(SessionLog session)
    {
        var known = 0;
        foreach (var operation in session.ByStart)
        {
            known = session.KnownBefore(operation, known);
            if (operation.Kind == OperationKind.Write && VersionOf(operation.Key, operation.In) is var version && ReferenceEquals(version.Writer, operation))
                version.SessionPrefix = known;
        }
    }

    private void NoteRead(Operation read)
    {
        var version = VersionOf(read.Key, read.Out);
        version.ThereNanoseconds = Math.Min(version.ThereNanoseconds, read.EndNanoseconds!.Value);
        if (read.Out.IsNull)
            return;
        if (version.Writer is not { } writer)
            _findings.AddPhantom(() => $"{read.InWords()} saw {read.Out}, which nobody wrote");
        else if (writer.Type == OperationType.Fail)
            _findings.Add(AnomalyKinds.FailedButSeen, () => $"{read.InWords()} saw {read.Out}, but {writer.InWords()} was told that it was not done");
        else if (read.EndNanoseconds < writer.StartNanoseconds)
            _findings.Add(AnomalyKinds.ReadOfTheFuture, () => $"{read.InWords()} was over before {writer.InWords()} began");
    }

    private void CheckPositions(SessionLog session)
    {
        var known = 0;
        var (written, read) = ((Operation?)null, (Operation?)null);
        foreach (var operation in session.ByStart)
        {
            for (var until = session.KnownBefore(operation, known); known < until; known++)
            {
                if (session.Known[known] is not { Position: { } position } earlier)
                    continue;
                ref var highest = ref earlier.Kind == OperationKind.Write ? ref written : ref read;
                if (highest is null || position.Covers(highest.Position!.Value))
                    highest = earlier;
            }

            if (operation is not { Type: OperationType.Ok, Position: { } shown })
                continue;
            var isRead = operation.Kind == OperationKind.Read;
            Compare(written, isRead ? AnomalyKinds.ReadYourWrites : AnomalyKinds.MonotonicWrites);
            Compare(read, isRead ? AnomalyKinds.MonotonicReads : AnomalyKinds.WritesFollowReads);

            void Compare(Operation? earlier, string kind)
            {
                if (earlier?.Position is { } floor && (!shown.Covers(floor) || (!isRead && earlier.Kind == OperationKind.Write && shown == floor)))
                    _findings.Add(kind, () => $"the position of {operation.InWords()} is not behind that of {earlier.InWords()}, earlier in its session");
            }
        }
    }

    // After everything was healed nobody may see a value that is older than one that was acknowledged.
    private void CheckFinalReads(History history)
    {
        var newest = new Dictionary<string, Version>(StringComparer.Ordinal);
        foreach (var ((key, _), version) in _versions)
            if (version.Writer is { Type: OperationType.Ok } && (!newest.TryGetValue(key, out var other) || version.Writer.StartNanoseconds > other.Writer!.StartNanoseconds))
                newest[key] = version;
        foreach (var read in history.Operations.Where(operation => operation is { Kind: OperationKind.Read, Type: OperationType.Ok, IsFinal: true }))
            if (newest.TryGetValue(read.Key ?? "", out var last) && last.Writer!.EndedBefore(read) && VersionOf(read.Key, read.Out).IsOlderThan(last))
                _findings.Add(AnomalyKinds.Lost, () => $"{read.InWords()} does not show {last.Writer.InWords()}, nor anything newer");
    }

    /// <summary>What one session must see, and why: for each register the newest value that each guarantee asks for.</summary>
    private sealed class SessionView(SessionChecker checker, SessionLog session)
    {
        private readonly Dictionary<(string Key, string Guarantee), (Version Version, Operation Because)> _floors = [];
        private readonly Dictionary<string, int> _merged = new(StringComparer.Ordinal);

        public void Check()
        {
            var known = 0;
            foreach (var operation in session.ByStart)
            {
                for (var until = session.KnownBefore(operation, known); known < until; known++)
                    Learn(session.Known[known]);
                if (operation is { Kind: OperationKind.Read, Type: OperationType.Ok })
                    CheckRead(operation);
            }
        }

        private void Learn(Operation known)
        {
            if (known.Kind == OperationKind.Write)
            {
                Raise(known.Key, AnomalyKinds.ReadYourWrites, checker.VersionOf(known.Key, known.In), known);
                return;
            }

            var seen = checker.VersionOf(known.Key, known.Out);
            Raise(known.Key, AnomalyKinds.MonotonicReads, seen, known);
            if (seen.Writer is { Type: not OperationType.Fail } writer)
                LearnFromWriter(seen, writer, known);
        }

        // Whoever sees a write sees what its session had written and read before it: monotonic writes and writes follow reads, seen from outside.
        private void LearnFromWriter(Version seen, Operation writer, Operation because)
        {
            var name = writer.Session ?? FormattableString.Invariant($"client {writer.Client}");
            if (name == session.Name)
                return;
            var other = checker._sessions[name];
            for (var i = _merged.GetValueOrDefault(name); i < seen.SessionPrefix; i++)
            {
                var earlier = other.Known[i];
                if (earlier.Kind == OperationKind.Write)
                    Raise(earlier.Key, AnomalyKinds.MonotonicWrites, checker.VersionOf(earlier.Key, earlier.In), because);
                else
                    Raise(earlier.Key, AnomalyKinds.WritesFollowReads, checker.VersionOf(earlier.Key, earlier.Out), because);
            }

            _merged[name] = Math.Max(_merged.GetValueOrDefault(name), seen.SessionPrefix);
        }

        private void Raise(string? key, string guarantee, Version version, Operation because)
        {
            if (version.Writer is null)
                return;
            var place = (key ?? "", guarantee);
            if (!_floors.TryGetValue(place, out var floor) || version.Writer.StartNanoseconds > floor.Version.Writer!.StartNanoseconds)
                _floors[place] = (version, because);
        }

        private void CheckRead(Operation read)
        {
            var seen = checker.VersionOf(read.Key, read.Out);
            ReadOnlySpan<string> guarantees = [AnomalyKinds.ReadYourWrites, AnomalyKinds.MonotonicReads, AnomalyKinds.MonotonicWrites, AnomalyKinds.WritesFollowReads];
            foreach (var guarantee in guarantees)
            {
                if (!_floors.TryGetValue((read.Key ?? "", guarantee), out var floor) || !seen.IsOlderThan(floor.Version))
                    continue;
                checker._findings.Add(guarantee, () => $"{read.InWords()} saw {seen.Value}, which is older than {floor.Version.Value} that session {session.Name} must see since {floor.Because.InWords()}");
                return;
            }
        }
    }
}
