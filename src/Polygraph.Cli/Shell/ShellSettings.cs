using Polygraph.Cli.Client;

namespace Polygraph.Cli.Shell;

/// <summary>What the shell's own commands change.</summary>
/// <param name="Call">Database, levels and session token of the next request; its statements are not used.</param>
public sealed record ShellSettings(SqlCall Call)
{
    public bool ShowsReceipts { get; init; } = true;

    public bool ShowsTime { get; init; }
}
