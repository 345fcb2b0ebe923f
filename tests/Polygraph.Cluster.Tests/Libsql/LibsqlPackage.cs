using System.Diagnostics;
using System.Security.Cryptography;

namespace Polygraph.Cluster.Tests.Libsql;

/// <summary>
/// The published <c>@libsql/client</c>, installed by npm from our lock file into a cache directory of the user, outside of the source tree
/// and once for each lock file.
/// </summary>
internal sealed class LibsqlPackage
{
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ScenarioLimit = TimeSpan.FromMinutes(1);
    private static readonly string[] NetworkFaults = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH"];

    private readonly string _directory;

    private LibsqlPackage(string directory) => _directory = directory;

    /// <summary>Installs the package, or says why that cannot be done on this machine.</summary>
    public static async Task<(LibsqlPackage? Package, string? Missing)> InstallAsync()
    {
        foreach (var program in (string[])["node", "npm"])
            if (!IsOnPath(program))
                return (null, $"{program} is not installed on this machine");

        var source = Path.Combine(AppContext.BaseDirectory, "Libsql");
        var lockFile = await File.ReadAllBytesAsync(Path.Combine(source, "package-lock.json"));
        var cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        var directory = Path.Combine(cache, "polygraph-tests", "libsql-" + Convert.ToHexStringLower(SHA256.HashData(lockFile))[..16]);
        Directory.CreateDirectory(directory);
        foreach (var file in (string[])["package.json", "package-lock.json", "scenarios.mjs"])
            File.Copy(Path.Combine(source, file), Path.Combine(directory, file), overwrite: true);

        var installed = Path.Combine(directory, "installed");
        if (!File.Exists(installed))
        {
            var (exitCode, output) = await RunAsync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], directory, InstallLimit);
            if (exitCode != 0 && NetworkFaults.Any(fault => output.Contains(fault, StringComparison.Ordinal)))
                return (null, $"npm cannot reach its registry from this machine: {output}");
            Assert.True(exitCode == 0, $"npm ci failed with {exitCode}: {output}");
            await File.WriteAllTextAsync(installed, "");
        }

        return (new LibsqlPackage(directory), null);
    }

    /// <summary>Runs a scenario against these nodes; fails the test with what the scenario said.</summary>
    public async Task RunScenarioAsync(string name, IEnumerable<Uri> nodes)
    {
        var urls = nodes.Select(node => node.GetLeftPart(UriPartial.Authority));
        var (exitCode, output) = await RunAsync("node", ["scenarios.mjs", name, .. urls], _directory, ScenarioLimit);
        Assert.True(exitCode == 0, $"Scenario {name} ended with {exitCode}:\n{output}");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, string directory, TimeSpan limit)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {limit}: {await output}{await errors}");
        }

        return (process.ExitCode, await output + await errors);
    }

    private static bool IsOnPath(string program)
        => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(directory => File.Exists(Path.Combine(directory, program)));
}
