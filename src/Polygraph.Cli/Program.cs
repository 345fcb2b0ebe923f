using System.CommandLine;
using Polygraph.Cli.Commands;
using Polygraph.Cli.Output;

namespace Polygraph.Cli;

/// <summary>The <c>polygraph</c> command.</summary>
public static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        // Signals are turned into one token here, because "up" and "node" need as long as their nodes need to end well.
        using var interrupt = new Interrupt();
        var root = new RootCommand("Replicated SQLite: every write returns a receipt, every read says how stale it may be, every copy proves itself.")
        {
            UpCommand.Create(),
            DownCommand.Create(),
            NodeCommand.Create(),
            SqlCommand.Create(interrupt),
            StatusCommand.Create(),
            VerifyCommand.Create(),
            DatabaseCommand.Create(),
            LogCommand.Create(),
            DoctorCommand.Create(),
            DemoCommand.Create(),
        };

        var parsed = root.Parse(arguments.Length == 0 ? ["--help"] : arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                Screen.Problem(error.Message);
            if (NearestName.For(parsed) is { } meant)
                Screen.Hint($"Did you mean {meant}?");
            Screen.Hint($"See {parsed.CommandResult.Command.FullName()} --help");
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false },
                interrupt.Token);
        }
        catch (CommandFailedException failure)
        {
            Screen.Problem(failure.Message);
            if (failure.Hint is { } hint)
                Screen.Hint(hint);
            return failure.ExitCode;
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            Screen.Problem(refused.Message);
            Screen.Hint("The operating system refused it. Look at the path, its permissions and the free space.");
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            Screen.Hint("Interrupted.");
            return ExitCode.Failed;
        }
    }
}
