using Polygraph.Checkers.Checking;

namespace Polygraph.Checkers.Registers;

/// <summary>
/// Anomalies of a register that two or three operations show, found by looking at the times of each value: they make better witnesses than a search that
/// found no way. A subset of the conditions of Gibbons and Korach, "Testing Shared Memories" (SIAM Journal on Computing 26(4), 1997).
/// </summary>
internal static class RegisterDiagnosis
{
    /// <summary>Returns whether the register is known to be wrong, or cannot be known to be right.</summary>
    public static bool Find(RegisterKey register, Findings findings)
    {
        var isSound = true;
        foreach (var call in register.Calls)
            isSound &= IsOriginKnown(register, call, findings);
        // The times of values without a writer would say nothing.
        if (!isSound)
            return true;
        return FindLostUpdates(register, findings) | FindStaleReads(register, findings);
    }

    private static bool IsOriginKnown(RegisterKey register, Call call, Findings findings)
    {
        if (call.Observes is RegisterKey.Nothing or RegisterKey.Initial)
            return true;
        var value = register.ValueOf(call.Observes);
        if (register.WriterOf(call.Observes) is { } writer)
        {
            if (call.End >= writer.StartNanoseconds)
                return true;
            findings.Add(AnomalyKinds.ReadOfTheFuture, () => $"{call.Source.InWords()} was over before {writer.InWords()} began");
        }
        else if (register.FailedWriterOf(call.Observes) is { } failed)
            findings.Add(AnomalyKinds.FailedButSeen, () => $"{call.Source.InWords()} saw {value}, but {failed.InWords()} was told that it was not done");
        else
            findings.AddPhantom(() => $"{call.Source.InWords()} saw {value}, which nobody wrote");
        return false;
    }

    private static bool FindLostUpdates(RegisterKey register, Findings findings)
    {
        var found = false;
        foreach (var same in register.Calls.Where(call => call.Observes != RegisterKey.Nothing && call.Writes != RegisterKey.Nothing).GroupBy(call => call.Observes))
        {
            var both = same.Take(2).ToArray();
            if (both.Length < 2)
                continue;
            found = true;
            findings.Add(AnomalyKinds.LostUpdate, () => $"both {both[0].Source.InWords()} and {both[1].Source.InWords()} replaced the same {register.ValueOf(same.Key)}");
        }

        return found;
    }

    // A value is stale once another has been written that began after it was there for certain.
    private static bool FindStaleReads(RegisterKey register, Findings findings)
    {
        var there = new long[register.ValueCount];
        Array.Fill(there, long.MaxValue);
        there[RegisterKey.Initial] = long.MinValue;
        foreach (var call in register.Calls)
        {
            if (call.Writes != RegisterKey.Nothing)
                there[call.Writes] = Math.Min(there[call.Writes], call.End);
            if (call.Observes != RegisterKey.Nothing)
                there[call.Observes] = Math.Min(there[call.Observes], call.End);
        }

        var found = false;
        var writes = register.Calls.Where(call => call.Writes != RegisterKey.Nothing).OrderBy(call => there[call.Writes]).ToArray();
        Call? newest = null;
        var next = 0;
        foreach (var reader in register.Calls.Where(call => call.Observes != RegisterKey.Nothing).OrderBy(call => call.Start))
        {
            for (; next < writes.Length && there[writes[next].Writes] < reader.Start; next++)
                if (newest is null || writes[next].Start > newest.Start)
                    newest = writes[next];
            if (newest is not { } newer || newer.Start <= there[reader.Observes])
                continue;
            found = true;
            findings.Add(
                AnomalyKinds.StaleRead,
                () => $"{reader.Source.InWords()} saw {register.ValueOf(reader.Observes)}, although {newer.Source.InWords()} began after that value was there and had taken effect before the read began");
        }

        return found;
    }
}
