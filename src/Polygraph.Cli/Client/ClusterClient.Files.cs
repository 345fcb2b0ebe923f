using System.Net.Http.Headers;
using Polygraph.Storage.Seeds;

namespace Polygraph.Cli.Client;

/// <content>Whole databases as files.</content>
public sealed partial class ClusterClient
{
    private const string SqliteType = "application/vnd.sqlite3";

    /// <summary>Creates a database from a file's content and waits until a majority of the nodes holds it.</summary>
    /// <exception cref="RequestRefusedException">The name is taken or not allowed, or the file cannot be imported. Nothing was created.</exception>
    public async Task<(ImportView View, string Json)> ImportAsync(ImportCall call, Action<long> progress, CancellationToken cancellation)
    {
        // While the file goes there it is the node's disk that is waited for, and nobody else can be asked.
        using var response = await SendAsync(() => ImportRequest(call, progress), cancellation, HttpCompletionOption.ResponseContentRead, silence: null);
        var json = await response.Content.ReadAsStringAsync(cancellation);
        return response.IsSuccessStatusCode
            ? (Read(json, ClusterJson.Default.ImportView), json)
            : throw new RequestRefusedException(ReadProblem(response, json));
    }

    /// <summary>
    /// Asks for a database as a plain SQLite file: the first node whose copy serves, and that is not silent. The answer's body is not read yet; dispose it.
    /// </summary>
    /// <exception cref="RequestRefusedException">There is none of that name, or no node can give it.</exception>
    /// <exception cref="AnswerLostException">The last node that was asked fell silent before it answered.</exception>
    public Task<HttpResponseMessage> ExportAsync(ExportCall call, CancellationToken cancellation)
        => AskEachAsync(() => ExportOnceAsync(call, cancellation));

    private async Task<HttpResponseMessage> ExportOnceAsync(ExportCall call, CancellationToken cancellation)
    {
        var response = await SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/v1/db/{Uri.EscapeDataString(call.Database)}/export", UriKind.Relative));
                SetHeader(request, "Polygraph-Read", call.Read);
                SetHeader(request, "Polygraph-Max-Staleness", call.MaxStaleness);
                return request;
            },
            cancellation,
            HttpCompletionOption.ResponseHeadersRead,
            _silence * FileSilence);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw new RequestRefusedException(ReadProblem(response, await response.Content.ReadAsStringAsync(cancellation)));
    }

    private static HttpRequestMessage ImportRequest(ImportCall call, Action<long> progress)
    {
        var ack = call.Ack is null ? "" : $"?ack={Uri.EscapeDataString(call.Ack)}";
        call.Content.Position = 0;
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/v1/db/{Uri.EscapeDataString(call.Database)}/import{ack}", UriKind.Relative))
        {
            Content = new StreamContent(new MeteredStream(call.Content, progress), MeteredStream.ChunkBytes),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(SqliteType);
        request.Content.Headers.ContentLength = call.Content.Length;
        request.Content.Headers.TryAddWithoutValidation("Content-Digest", $"{SeedDigest.HttpName}=:{Convert.ToBase64String(Convert.FromHexString(call.Digest))}:");

        // A name that is taken is said before the file is sent.
        request.Headers.ExpectContinue = true;
        return request;
    }
}

/// <summary>A file that shall become a database, and its <see cref="SeedDigest"/>.</summary>
public sealed record ImportCall(string Database, string? Ack, Stream Content, string Digest);

/// <summary>A database that is wanted as a file.</summary>
public sealed record ExportCall(string Database, string? Read, string? MaxStaleness);

/// <summary>The answer to <c>POST /v1/db/{name}/import</c>.</summary>
public sealed record ImportView(
    string Database, long Bytes, string FileDigest, int Tables, long Rows, IReadOnlyList<string> Nodes, IReadOnlyList<string> Missing, double Seconds);

/// <summary>What <c>polygraph db export</c> wrote.</summary>
public sealed record ExportView(string Database, string File, string? Position, long Bytes, string Sha256, string? Digest, string? Node);
