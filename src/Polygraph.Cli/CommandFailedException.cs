namespace Polygraph.Cli;

/// <summary>The command cannot do what was asked. Printed in two lines: what happened, and what to do.</summary>
public class CommandFailedException(string message, string? hint = null, int exitCode = ExitCode.Failed) : Exception(message)
{
    public string? Hint { get; } = hint;

    public int ExitCode { get; } = exitCode;
}
