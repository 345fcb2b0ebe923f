namespace Polygraph.Cli.Demos.Day;

/// <summary>One thing that a client of the shop wants.</summary>
/// <param name="Name">Its own: its idempotency key, and what it leaves in <c>request</c> if it is carried out.</param>
/// <param name="Kind">Purchase, refund, …</param>
/// <param name="Statements">One transaction.</param>
/// <param name="End">How it has to end.</param>
public sealed record DayRequest(string Name, string Kind, IReadOnlyList<string> Statements, DayEnd End);

/// <summary>How a request has to end.</summary>
public enum DayEnd
{
    /// <summary>Carried out; or refused whole, because the shop has changed meanwhile: the track was deleted, or is sold out.</summary>
    DoneOrRefused,

    /// <summary>Refused by the schema, whatever the shop's state is.</summary>
    Refused,

    /// <summary>It only reads.</summary>
    Read,
}

/// <summary>How long the day is.</summary>
/// <param name="Seed">The same seed asks the same; the clients still race one another.</param>
/// <param name="Clients">Each at a node of its own, the next one when that is gone.</param>
/// <param name="RequestsPerHour">Of each client.</param>
public sealed record DayLength(int Seed, int Clients, int RequestsPerHour)
{
    public const int Hours = 24;

    /// <summary>The day begins at six in the morning and ends with the night's reports and archive.</summary>
    public static int HourOfDay(int hour) => (hour + 6) % Hours;
}
