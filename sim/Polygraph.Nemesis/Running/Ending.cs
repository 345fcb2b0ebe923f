using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>How an operation ended: what its client may conclude after one attempt or several.</summary>
/// <param name="Type">What is known.</param>
/// <param name="Out">What it gave.</param>
/// <param name="Reason">Why it is not ok, or not quite.</param>
/// <param name="IsFinal">Whether another attempt could say nothing else.</param>
internal sealed record Ending(OperationType Type, Value Out, string? Reason, bool IsFinal)
{
    /// <summary>Before anything is known.</summary>
    public static readonly Ending Unknown = new(OperationType.Info, Value.Null, null, false);

    /// <summary>What is known after an exchange.</summary>
    /// <param name="exchange">How the last attempt went.</param>
    /// <param name="step">The operation.</param>
    /// <param name="earlier">What was known before the last attempt; null if it was the first.</param>
    /// <param name="levels">What was promised.</param>
    public static Ending Of(Exchange exchange, Step step, Ending? earlier, Levels levels)
    {
        var (certainty, reason) = Classification.Of(exchange, step.Call);
        if (earlier is not null)
            certainty = Classification.After(ToCertainty(earlier.Type), certainty);
        if (certainty != Certainty.Ok)
            return new Ending(ToType(certainty), Value.Null, reason, IsRefusal(exchange));

        // Without its rows an operation that is told by them is in doubt; one that is told by its receipt is done.
        var result = exchange is Exchange.Answered { Status: 200 } answer ? step.Interpret(answer)
            : step.MayBeRepeated ? step.Untold
            : new StepResult(Certainty.Info, Value.Null);
        return step.Call.Writes && result.Certainty == Certainty.Ok && IsOnlyPromisedToTry(step, levels)
            ? new Ending(OperationType.Info, Value.Null, "ASYNC", true)
            : new Ending(ToType(result.Certainty), result.Out, result.Certainty == Certainty.Ok ? reason : reason ?? "NOT_FOUND", true);
    }

    public Operation ToOperation(Step step)
        => new()
        {
            Client = 0,
            Kind = step.Kind,
            Key = step.Key,
            In = step.In,
            Out = Out,
            Type = Type,
            StartNanoseconds = 0,
            Error = Reason,
        };

    private static bool IsOnlyPromisedToTry(Step step, Levels levels) => !levels.AreAcksDurable && !step.IsCountedWhenLost;

    // SQL that is wrong, a constraint that is violated: the same everywhere.
    private static bool IsRefusal(Exchange exchange) => exchange is Exchange.Answered { Status: >= 400 and < 500 };

    private static Certainty ToCertainty(OperationType type)
        => type switch
        {
            OperationType.Ok => Certainty.Ok,
            OperationType.Fail => Certainty.Fail,
            _ => Certainty.Info,
        };

    private static OperationType ToType(Certainty certainty)
        => certainty switch
        {
            Certainty.Ok => OperationType.Ok,
            Certainty.Fail => OperationType.Fail,
            _ => OperationType.Info,
        };
}
