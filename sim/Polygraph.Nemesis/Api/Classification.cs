namespace Polygraph.Nemesis.Api;

/// <summary>What a client knows of its operation.</summary>
internal enum Certainty
{
    /// <summary>Done for certain, at the level that was asked for.</summary>
    Ok,

    /// <summary>Certainly not done, now or later.</summary>
    Fail,

    /// <summary>Not known: it may be done, or be done later.</summary>
    Info,
}

/// <summary>
/// What a client may conclude from an exchange. A pure table; whatever it does not know is doubt, and doubt is <see cref="Certainty.Info"/>.
/// </summary>
internal static class Classification
{
    /// <summary>What is known after one attempt, with the reason when it is not <see cref="Certainty.Ok"/>.</summary>
    public static (Certainty Certainty, string? Reason) Of(Exchange exchange, SqlCall call)
        => exchange switch
        {
            Exchange.NotSent notSent => (Certainty.Fail, notSent.Reason),

            // A read that brought nothing has no effect, now or later.
            Exchange.NoAnswer lost => (call.Writes ? Certainty.Info : Certainty.Fail, lost.Reason),
            Exchange.Answered { Status: 200 } answer => OfSuccess(answer, call),
            Exchange.Answered answer when !call.Writes => (Certainty.Fail, Reason(answer)),
            Exchange.Answered { Outcome: "applied" } answer => answer.Receipt is null ? (Certainty.Info, Reason(answer)) : (Certainty.Ok, Reason(answer)),
            Exchange.Answered { Outcome: "notApplied" } answer => (Certainty.Fail, Reason(answer)),
            Exchange.Answered answer => (Certainty.Info, Reason(answer)),
            _ => (Certainty.Info, "UNKNOWN"),
        };

    /// <summary>
    /// What is known after several attempts with one idempotency key. A certain failure of the last says nothing of an earlier one that may still
    /// be under way.
    /// </summary>
    public static Certainty After(Certainty earlier, Certainty last)
        => (earlier, last) switch
        {
            (_, Certainty.Ok) => Certainty.Ok,
            (Certainty.Info, _) => Certainty.Info,
            _ => last,
        };

    // Done, but with the promise of "async" only: it may vanish with its leader.
    private static (Certainty, string?) OfSuccess(Exchange.Answered answer, SqlCall call)
        => call.Writes && answer.Receipt is { Degraded: true } ? (Certainty.Info, "DEGRADED") : (Certainty.Ok, null);

    private static string Reason(Exchange.Answered answer)
        => answer is { Code: "SQLITE_ERROR", Detail: { } detail } ? $"SQLITE_ERROR {detail}" : answer.Code ?? $"HTTP {answer.Status}";
}
