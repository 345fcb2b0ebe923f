using System.Diagnostics;

namespace Polygraph.Storage.Tests.Crashes;

/// <summary>
/// A sample of the crash test, and the proof that it can fail. The build runs all of it: <c>dotnet run -c Release --project sim/Polygraph.CrashTest</c>.
/// </summary>
public sealed class CrashEnumerationTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task A_process_killed_at_an_operation_and_a_power_loss_after_it_leave_what_was_told()
    {
        var (code, output) = await Run("--every", "17");

        Assert.Contains("\n0 bad states", output, StringComparison.Ordinal);
        Assert.Equal(0, code);
    }

    [Theory]
    [InlineData("AckBeforeWrite")]
    [InlineData("NoRecovery")]
    [InlineData("CheckpointWithoutMarker")]
    [InlineData("LogSyncsLie")]
    [InlineData("DirectorySyncsLie")]
    public async Task A_planted_bug_is_found(string bug)
    {
        var (code, output) = await Run("--planted", bug, "--every", "13");

        Assert.DoesNotContain("\n0 bad states", output, StringComparison.Ordinal);
        Assert.Contains(" bad states, ", output, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    private static async Task<(int Code, string Output)> Run(params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A .NET process can fork itself on Linux only.");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Polygraph.CrashTest"), arguments) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            TestContext.Current.TestOutputHelper?.WriteLine(output);
            return (process.ExitCode, output);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
