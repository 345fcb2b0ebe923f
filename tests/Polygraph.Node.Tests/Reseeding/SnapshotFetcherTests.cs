using System.Net.Sockets;
using Polygraph.Node.Reseeding;

namespace Polygraph.Node.Tests.Reseeding;

public sealed class SnapshotFetcherTests
{
    public static TheoryData<Exception, bool> Failures
        => new()
        {
            { new HttpRequestException("no answer"), true },

            // What HttpClient lets through when a connection is reset before it is used: "Transport endpoint is not connected".
            { new SocketException((int)SocketError.NotConnected), true },
            { new OperationCanceledException("too slow"), true },

            // The disk's: what the network says in this way is told apart where it is read.
            { new IOException("No space left on device"), false },
            { new InvalidOperationException("a mistake"), false },
        };

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_copy_goes_on_after_whatever_cuts_a_connection(Exception failure, bool goesOn)
        => Assert.Equal(goesOn, SnapshotFetcher.IsBreak(failure, CancellationToken.None));

    [Fact]
    public void Whoever_is_told_to_end_ends()
        => Assert.False(SnapshotFetcher.IsBreak(new SocketException((int)SocketError.NotConnected), new CancellationToken(canceled: true)));
}
