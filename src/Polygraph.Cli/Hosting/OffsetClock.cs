using Polygraph.Wire.Sql;

namespace Polygraph.Cli.Hosting;

/// <summary>
/// The machine's clock with a wall time that is wrong by a fixed amount, as on a machine whose clock was never set. Only tests want that: nothing that
/// keeps data safe may depend on wall time, and this is how that is shown on real processes.
/// </summary>
public sealed class OffsetClock(TimeSpan offset) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + offset;

    /// <summary>The clock for <c>--clock-offset</c>: a duration, with a minus if it is to be behind. The machine's own for null.</summary>
    /// <exception cref="CommandFailedException">It is not one.</exception>
    public static TimeProvider Parse(string? text)
    {
        if (text is null)
            return System;
        var isBehind = text.StartsWith('-');
        return DurationText.TryParse(isBehind ? text[1..] : text, out var offset, out var error)
            ? new OffsetClock(isBehind ? -offset : offset)
            : throw new CommandFailedException($"--clock-offset: {error}", "For example 90s, or -2h.", ExitCode.Usage);
    }
}
