using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Control;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Importing;

/// <summary>A file that shall become a database.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ack">The ack level of writes that name none.</param>
/// <param name="Bytes">The length of the file.</param>
/// <param name="Announced">What the client says that its sums are.</param>
/// <param name="Principal">Who asks.</param>
internal sealed record ImportRequest(string Name, AckPolicy Ack, long Bytes, ContentDigest Announced, string Principal);

/// <summary>
/// Takes in a file and makes it a database: sends it on to every reachable node while it comes in, reads it once from end to end, has everybody
/// prepare it, and only when a majority holds it durably asks the log of <c>_system</c> to create the database.
/// </summary>
internal sealed class Importer(ImportParts parts, NodeClock clock, ILogger logger) : IDisposable
{
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookupPatience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1);
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = Timeout.InfiniteTimeSpan, // Every wait has a limit of its own.
    };

    private int Majority => (parts.Voters.Count / 2) + 1;

    /// <summary>What it became, or why it did not. Cancelled, nothing of it stays.</summary>
    public async Task<(ImportReport? Report, SqlProblem? Problem)> ImportAsync(ImportRequest request, Stream body, CancellationToken client)
    {
        if (!await _one.WaitAsync(TimeSpan.Zero, client).ConfigureAwait(false))
            return (null, ImportProblems.Busy(parts.Self));
        try
        {
            var lookup = await parts.Databases.FindOrWaitAsync(request.Name, LookupPatience, client).ConfigureAwait(false);
            if (lookup.Replica is not null)
                return (null, DatabaseCatalogue.NameIsTaken(request.Name));
            var others = parts.Reachable();
            if (others.Count + 1 < Majority || !lookup.Certain)
                return (null, ImportProblems.NoMajority(others.Count + 1, parts.Voters.Count));
            var seed = Guid.CreateVersion7();
            if (parts.Store.TryBegin(seed, request.Bytes) is { } full)
                return (null, full);
            return await RunAsync(seed, request, body, others, client).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        _one.Dispose();
        _http.Dispose();
    }

    private async Task<(ImportReport? Report, SqlProblem? Problem)> RunAsync(
        Guid seed, ImportRequest request, Stream body, IReadOnlyList<(NodeId Node, string Address)> others, CancellationToken client)
    {
        var began = clock.Now;
        IReadOnlyList<SeedRelay> relays = [];
        var mayBeCommitted = false;
        try
        {
            if (await parts.Catalogue.BeginAsync(seed, request, client).ConfigureAwait(false) is { } refused)
                return (null, refused);
            var sender = new SeedSender(parts.Self, parts.Identity.Formed!, clock.Time);
            relays = [.. others.Select(other => new SeedRelay(_http, other.Node, other.Address, sender, seed, request.Bytes, client))];
            var (sha256, digest) = await CopyAsync(seed, request, body, relays, client).ConfigureAwait(false);
            if (request.Announced.Sha256 is { } announced && announced != sha256)
                return (null, ImportProblems.Changed("SHA-256", announced, sha256!));
            if (request.Announced.Seed is { } sum && sum != digest)
                return (null, ImportProblems.Changed(SeedDigest.HttpName, sum, digest));
            var tables = await SeedCheck.ExamineAsync(parts.Store.PathOf(seed), client).ConfigureAwait(false);
            var description = new Seed(seed, request.Bytes, digest, tables);
            var holders = await PrepareAsync(description, relays).ConfigureAwait(false);
            client.ThrowIfCancellationRequested();
            if (relays.FirstOrDefault(relay => relay.IsRefusal) is { } refusing)
                return (null, ImportProblems.Refused(refusing.Failure!));
            if (holders.Count < Majority)
                return (null, ImportProblems.LostMajority(holders.Count, parts.Voters.Count, Failures(relays)));

            mayBeCommitted = true; // Whatever is thrown from here on: it was asked of the log.
            var problem = await parts.Catalogue.CommitAsync(seed, request).ConfigureAwait(false);
            mayBeCommitted = problem is null or { Outcome: not Outcome.NotApplied };
            if (problem is not null)
                return (null, problem);
            var report = Report(request, description, holders, clock.Now - began);
            ImportLog.Imported(logger, request.Name, request.Bytes, report.Tables, string.Join(", ", report.Nodes), report.Seconds);
            return await parts.Databases.WaitForAsync(request.Name, present: true, OpeningPatience, client).ConfigureAwait(false)
                ? (report, null)
                : (null, DatabaseCatalogue.NotOpenYet(request.Name));
        }
        catch (SeedRefusedException e)
        {
            return (null, ImportProblems.Refused(e.Message));
        }
        catch (Exception e) when (ImportProblems.IsOfTheDisk(e))
        {
            ImportLog.Failed(logger, request.Name, e);
            return (null, ImportProblems.NoRoom(parts.Self, e.Message));
        }
        finally
        {
            if (!mayBeCommitted)
                await ForgetAsync(seed, request, relays).ConfigureAwait(false);
            foreach (var relay in relays)
                relay.Dispose();
        }
    }

    /// <summary>
    /// Reads the body once; the disk and all other nodes are written while the next chunk comes in. Only who announced a SHA-256 has it computed.
    /// </summary>
    private async Task<(string? Sha256, string Digest)> CopyAsync(Guid seed, ImportRequest request, Stream body, IReadOnlyList<SeedRelay> relays, CancellationToken client)
    {
        using var file = new SeedFile(parts.Store.PathOf(seed), request.Bytes);
        using var sha256 = request.Announced.Sha256 is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await BodyChunks.ReadAsync(body, chunk =>
        {
            parts.Store.Touch(seed);
            var hashing = sha256 is null ? Task.CompletedTask : Task.Run(() => sha256.AppendData(chunk.Span));
            return Task.WhenAll([hashing, Task.Run(() => file.AppendAsync(chunk)), .. relays.Select(relay => relay.WriteAsync(chunk))]);
        }, client).ConfigureAwait(false);
        if (!file.IsComplete)
            throw new SeedRefusedException($"The body ended before its {request.Bytes} bytes were there.");
        await Task.WhenAll(relays.Select(relay => relay.FinishAsync())).ConfigureAwait(false);
        return (sha256 is null ? null : Convert.ToHexStringLower(sha256.GetHashAndReset()), await file.CompleteAsync().ConfigureAwait(false));
    }

    /// <summary>Those who hold it durably, this node among them.</summary>
    private async Task<IReadOnlyList<NodeId>> PrepareAsync(Seed seed, IReadOnlyList<SeedRelay> relays)
    {
        var others = Task.WhenAll(relays.Select(relay => relay.PrepareAsync(seed)));
        try
        {
            SeedPreparation.Prepare(parts.Store.PathOf(seed.Id), seed);
        }
        catch (SqliteException e) when (!ImportProblems.IsOfTheDisk(e))
        {
            throw new SeedRefusedException(ImportProblems.Unusable(parts.Self, e), e);
        }

        parts.Store.MarkReady(seed);
        await others.ConfigureAwait(false);
        foreach (var relay in relays.Where(relay => relay.Failure is not null))
            ImportLog.LeftBehind(logger, relay.Node, relay.Failure!);
        return [parts.Self, .. relays.Where(relay => relay.Failure is null).Select(relay => relay.Node)];
    }

    // What cannot be said now is found out by each node for itself: see ImportKeeper.
    private async Task ForgetAsync(Guid seed, ImportRequest request, IReadOnlyList<SeedRelay> relays)
    {
        // First the decision, then the files: a file that was promised may go only when it can never be wanted any more.
        var (abandoned, problem) = await parts.Catalogue.AbandonAsync(seed, CancellationToken.None).ConfigureAwait(false);
        if (problem is not null)
            ImportLog.NotAbandoned(logger, request.Name, problem.Detail);
        if (abandoned)
            parts.Store.Delete(seed);
        else
            parts.Store.TryDeleteUnpromised(seed);

        // The others remove what was promised when they see that decision themselves.
        await Task.WhenAll(relays.Select(relay => relay.ForgetAsync())).ConfigureAwait(false);
    }

    private ImportReport Report(ImportRequest request, Seed seed, IReadOnlyList<NodeId> holders, TimeSpan took)
        => new(
            request.Name,
            seed.Bytes,
            seed.Digest,
            request.Announced.Sha256,
            seed.Tables.Count,
            seed.Tables.Sum(table => table.Rows),
            [.. holders.Select(node => node.Value).Order(StringComparer.Ordinal)],
            [.. parts.Voters.Except(holders).Select(node => node.Value).Order(StringComparer.Ordinal)],
            Math.Round(took.TotalSeconds, 3));

    private static string Failures(IReadOnlyList<SeedRelay> relays)
        => string.Join("; ", relays.Where(relay => relay.Failure is not null).Select(relay => $"{relay.Node}: {relay.Failure}"));
}

/// <summary>What an import needs of the node.</summary>
/// <param name="Self">This node.</param>
/// <param name="Voters">All nodes.</param>
/// <param name="Identity">The cluster.</param>
/// <param name="Databases">The databases that there are.</param>
/// <param name="Catalogue">The imports in <c>_system</c>.</param>
/// <param name="Store">Where the file is kept here.</param>
/// <param name="Reachable">The other nodes that are connected, and their HTTP addresses.</param>
internal sealed record ImportParts(
    NodeId Self,
    IReadOnlyList<NodeId> Voters,
    ClusterIdentity Identity,
    DatabaseRegistry Databases,
    ImportCatalogue Catalogue,
    SeedStore Store,
    Func<IReadOnlyList<(NodeId Node, string Address)>> Reachable);
