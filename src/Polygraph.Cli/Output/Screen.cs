using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>
/// What the commands say to people. Answers go to the standard output, everything about them (receipts, progress, problems) to the
/// standard error, so that a pipe gets the answer only.
/// </summary>
public static class Screen
{
    private const int WidthWithoutTerminal = 4096;

    public const string Amber = "orange1";
    public const string Red = "red";
    public const string Green = "green";
    public const string Dim = "grey";
    public const string Blob = "mediumpurple2";

    public static IAnsiConsole Out { get; } = Create(Console.Out);

    public static IAnsiConsole Error { get; } = Create(Console.Error);

    /// <summary>What happened.</summary>
    public static void Problem(string text) => Error.MarkupLineInterpolated($"[red]{text}[/]");

    /// <summary>What to do about it, or a remark.</summary>
    public static void Hint(string text) => Error.MarkupLineInterpolated($"[grey]{text}[/]");

    /// <summary>Text with markup of our own; anything from outside must have been escaped.</summary>
    public static void Line(string markup) => Out.MarkupLine(markup);

    /// <summary>Text exactly as it is, never folded: something to paste, or somebody else's output.</summary>
    public static void Verbatim(string text) => Console.Out.WriteLine(text);

    /// <summary>Says what is going on while it goes on; only in a terminal does it move.</summary>
    public static Task<T> WhileAsync<T>(string what, Func<Task<T>> work) => Error.Status().StartAsync(what, _ => work());

    /// <inheritdoc cref="WhileAsync{T}"/>
    public static Task WhileAsync(string what, Func<Task> work) => Error.Status().StartAsync(what, _ => work());

    private static IAnsiConsole Create(TextWriter writer)
    {
        var redirected = writer == Console.Out ? Console.IsOutputRedirected : Console.IsErrorRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        // Without a terminal Spectre would fold lines at 80 columns: scripts and logs want each in one piece.
        if (redirected)
            console.Profile.Width = WidthWithoutTerminal;
        return console;
    }
}
