using System.CommandLine;
using Polygraph.Cli.Hosting;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph node</c>: runs one node in this process until it is told to end.</summary>
public static class NodeCommand
{
    public static Command Create()
    {
        var id = new Option<string>("--id") { Description = "The node's name, unique in the cluster.", Required = true, HelpName = "n1" };
        var data = new Option<string>("--data") { Description = "The node's own directory; created if it is not there.", Required = true, HelpName = "DIR" };
        var listen = new Option<string>("--listen") { Description = "Where clients are answered (HTTP).", Required = true, HelpName = "HOST:PORT" };
        var peerListen = new Option<string>("--peer-listen") { Description = "Where the other nodes are answered.", Required = true, HelpName = "HOST:PORT" };
        var peers = new Option<string>("--peers")
        {
            Description = "Every node of the cluster with its peer address, this one included; the same on each.",
            Required = true,
            HelpName = "n1=HOST:PORT,n2=…",
        };
        var advertise = new Option<string?>("--advertise") { Description = "The HTTP address that others are told, if it is not the one listened on.", HelpName = "HOST:PORT" };
        var zone = new Option<string?>("--zone") { Description = "Where the node stands: a data centre, a rack.", HelpName = "NAME" };
        var retainBytes = new Option<string?>("--log-retain-max")
        {
            Description = "How large a database's log may become for a node that is away, which then gets a snapshot instead. [default: 1GiB]",
            HelpName = "SIZE",
        };
        var retainAge = new Option<string?>("--log-retain-age") { Description = "The same by age. [default: 7 days]", HelpName = "TIME" };
        var snapshotRate = new Option<string?>("--snapshot-rate") { Description = "The most that a snapshot for another node takes in a second. [default: unlimited]", HelpName = "SIZE" };
        var insecure = new Option<bool>("--insecure") { Description = "Listen on an address that others can reach although there is no TLS and no token." };

        // How a local cluster holds its nodes; of no use by hand.
        var untilInputCloses = new Option<bool>("--until-input-closes") { Description = "End when the standard input closes, which it does when the starter dies.", Hidden = true };
        var leaveTerminal = new Option<bool>("--leave-terminal") { Description = "Ctrl-C in the terminal does not reach this process.", Hidden = true };

        // For tests of clocks that are wrong.
        var clockOffset = new Option<string?>("--clock-offset") { Description = "How far this node's wall clock is ahead of the machine's; with a minus, behind.", Hidden = true };

        var command = new Command("node", "Run one node in this process.")
        {
            id, data, listen, peerListen, peers, advertise, zone, retainBytes, retainAge, snapshotRate, insecure, untilInputCloses, leaveTerminal, clockOffset,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var arguments = NodeArguments.Parse(
                parsed.GetRequiredValue(id),
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(listen),
                parsed.GetRequiredValue(peerListen),
                parsed.GetRequiredValue(peers),
                parsed.GetValue(advertise),
                parsed.GetValue(zone),
                parsed.GetValue(insecure)) with
            {
                LogRetention = NodeArguments.ParseRetention(parsed.GetValue(retainBytes), parsed.GetValue(retainAge)),
                SnapshotBytesPerSecond = parsed.GetValue(snapshotRate) is { } rate ? ByteText.Parse("--snapshot-rate", rate) : null,
                Clock = OffsetClock.Parse(parsed.GetValue(clockOffset)),
            };
            if (parsed.GetValue(untilInputCloses) || parsed.GetValue(leaveTerminal))
                Posix.LeaveTerminal();

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (parsed.GetValue(untilInputCloses))
                _ = EndWithInputAsync(end);
            return await NodeRunner.RunAsync(arguments, end.Token);
        });
        return command;
    }

    private static async Task EndWithInputAsync(CancellationTokenSource end)
    {
        await using var input = Console.OpenStandardInput();
        var ignored = new byte[256];
        while (await input.ReadAsync(ignored) > 0)
        {
            // Nobody has anything to say here; only the end matters.
        }

        try
        {
            await end.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The node has ended already.
        }
    }
}
