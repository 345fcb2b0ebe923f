using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Polygraph.Node.Importing;
using Polygraph.Node.Tests.Transactions;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Node.Tests.Importing;

/// <summary>What goes wrong with the body of an import is not said to be the disk's fault.</summary>
public sealed class ImportBodyTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_client_that_stops_sending_is_told_that_it_was_too_slow()
    {
        var stopping = TestContext.Current.CancellationToken;
        await using var node = await SingleNode.StartAsync(new());
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(node.Http.BaseAddress!.Authority), stopping);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                "POST /v1/db/slow/import HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                + $"Content-Type: {ImportEndpoint.ContentType}\r\nContent-Length: 100000\r\n\r\nSQLite"),
            stopping);

        using var answer = new StreamReader(stream);
        var text = await answer.ReadToEndAsync(stopping);
        Assert.StartsWith("HTTP/1.1 408 ", text, StringComparison.Ordinal);
        Assert.Contains("REQUEST_INVALID", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_disk_is_taken_for_the_disk()
    {
        Assert.True(ImportProblems.IsOfTheDisk(new IOException("No space left on device")));
        Assert.True(ImportProblems.IsOfTheDisk(new SqliteException(SqliteCode.Full, "database or disk is full")));
        Assert.True(ImportProblems.IsOfTheDisk(new SqliteException(SqliteCode.InputOutput | (3 << 8), "disk I/O error")));
        Assert.False(ImportProblems.IsOfTheDisk(new SqliteException(SqliteCode.Error, "no such module")));
        Assert.False(ImportProblems.IsOfTheDisk(new SqliteException(SqliteCode.Corrupt, "malformed")));
        Assert.False(ImportProblems.IsOfTheDisk(new BadHttpRequestException("Unexpected end of request content.")));
        Assert.False(ImportProblems.IsOfTheDisk(new ConnectionResetException("reset")));
    }
}
