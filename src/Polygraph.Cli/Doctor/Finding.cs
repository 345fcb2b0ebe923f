namespace Polygraph.Cli.Doctor;

/// <summary>Something that <c>doctor</c> noticed.</summary>
/// <param name="Severity"><c>error</c>: something is wrong. <c>warning</c>: it works, and may not go on so.</param>
/// <param name="Where">Which node, directory or file.</param>
/// <param name="What">What was seen.</param>
/// <param name="Advice">What to do.</param>
public sealed record Finding(string Severity, string Where, string What, string Advice)
{
    public const string ErrorSeverity = "error";
    public const string WarningSeverity = "warning";

    public bool IsError => Severity == ErrorSeverity;

    public static Finding Error(string where, string what, string advice) => new(ErrorSeverity, where, what, advice);

    public static Finding Warning(string where, string what, string advice) => new(WarningSeverity, where, what, advice);
}
