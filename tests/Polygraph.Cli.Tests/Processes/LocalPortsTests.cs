using System.Net;
using System.Net.Sockets;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Tests.Processes;

public sealed class LocalPortsTests
{
    [Fact]
    public void A_taken_port_is_reported_with_the_process_that_has_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        var reason = LocalPorts.DescribeTaken(((IPEndPoint)listener.LocalEndpoint).Port);

        Assert.NotNull(reason);
        if (OperatingSystem.IsLinux())
            Assert.Contains($"process {Environment.ProcessId} ", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_free_base_has_all_its_ports_free()
    {
        var layouts = NodeLayout.ForBasePort(NodeLayout.NodesMax, "data", LocalPorts.FindFreeBase(NodeLayout.NodesMax));

        Assert.All(layouts, layout => Assert.Null(LocalPorts.DescribeTaken(layout.HttpPort) ?? LocalPorts.DescribeTaken(layout.PeerPort)));
        Assert.Equal(2 * NodeLayout.NodesMax, layouts.SelectMany(layout => new[] { layout.HttpPort, layout.PeerPort }).Distinct().Count());
    }
}
