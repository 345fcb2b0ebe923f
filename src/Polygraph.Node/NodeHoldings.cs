using Microsoft.AspNetCore.Builder;
using Polygraph.Node.Control;
using Polygraph.Node.Identity;
using Polygraph.Node.Importing;
using Polygraph.Node.Reseeding;
using Polygraph.Transport.Tcp;

namespace Polygraph.Node;

/// <summary>What a node holds, from when it is made until it is given back: by a node that ends, or by a start that fails on the way.</summary>
internal sealed class NodeHoldings(DataDirectory directory) : IAsyncDisposable
{
    public DataDirectory Directory { get; } = directory;

    public BackgroundLoops Loops { get; } = new();

    public PeerListener? Listener { get; set; }

    public WebApplication? Web { get; set; }

    public TcpPeerTransport? Transport { get; set; }

    public SnapshotSources? Snapshots { get; set; }

    public SnapshotFetcher? Fetcher { get; set; }

    public DatabaseRegistry? Databases { get; set; }

    public Importer? Importer { get; set; }

    public ValueTask DisposeAsync()
        => GiveBackAsync(new Func<ValueTask>[]
        {
            Loops.DisposeAsync,
            () => new ValueTask(Web?.StopAsync() ?? Task.CompletedTask),
            () => Web?.DisposeAsync() ?? default,
            () => Transport?.DisposeAsync() ?? default,
            Of(Listener),
            Of(Importer),
            Of(Snapshots),
            () => Databases?.DisposeAsync() ?? default,
            Of(Fetcher),
            Of(Directory),
        });

    /// <summary>Every step is reached, whatever those before it threw: what is left open would answer, or keep the directory from the next start.</summary>
    /// <remarks>Of several failures the last is told.</remarks>
    internal static async ValueTask GiveBackAsync(ReadOnlyMemory<Func<ValueTask>> steps)
    {
        if (steps.IsEmpty)
            return;
        try
        {
            await steps.Span[0]().ConfigureAwait(false);
        }
        finally
        {
            await GiveBackAsync(steps[1..]).ConfigureAwait(false);
        }
    }

    private static Func<ValueTask> Of(IDisposable? part) => () =>
    {
        part?.Dispose();
        return ValueTask.CompletedTask;
    };
}
