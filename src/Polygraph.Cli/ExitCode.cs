namespace Polygraph.Cli;

/// <summary>What the command's exit code says. A contract: scripts rely on it.</summary>
public static class ExitCode
{
    /// <summary>Done as asked.</summary>
    public const int Ok = 0;

    /// <summary>Refused or failed: nothing of it happened.</summary>
    public const int Failed = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;

    /// <summary>It is not known whether it happened, or it happened with less than the guarantee that was asked for.</summary>
    public const int GuaranteeNotReached = 3;
}
