using System.Collections.Concurrent;

namespace Polygraph.Cli.Demos.Day;

/// <summary>What the clients were told, all together. Any thread.</summary>
public sealed class DayLedger
{
    private readonly ConcurrentDictionary<string, string> _done = [];
    private readonly ConcurrentDictionary<(string Kind, string End), int> _counts = [];
    private readonly ConcurrentBag<string> _wrong = [];
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private readonly List<(int Requests, TaskCompletionSource Reached)> _waiting = [];
    private int _ended;

    /// <summary>The writes that were told "done", with their kind.</summary>
    public IReadOnlyDictionary<string, string> Done => _done;

    /// <summary>Ends that must not be, in words.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    public int Ended
    {
        get
        {
            lock (_gate)
                return _ended;
        }
    }

    /// <summary>How requests of a kind ended.</summary>
    public IEnumerable<(string Kind, int Done, int Refused)> Counts()
        => _counts.Keys.Select(key => key.Kind).Distinct().Order(StringComparer.Ordinal)
            .Select(kind => (kind, _counts.GetValueOrDefault((kind, "done")), _counts.GetValueOrDefault((kind, "refused"))));

    /// <summary>Completes when so many requests have ended.</summary>
    public Task WhenEndedAsync(int requests)
    {
        lock (_gate)
        {
            if (_ended >= requests)
                return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((requests, reached));
            return reached.Task;
        }
    }

    public void NoteDone(DayRequest request)
    {
        if (request.End == DayEnd.Refused)
            _wrong.Add($"{request.Name} had to be refused and was done: {string.Join("; ", request.Statements)}");
        if (request.End == DayEnd.DoneOrRefused)
            _done[request.Name] = request.Kind;
        Count(request, "done");
        End();
    }

    public void NoteRefused(DayRequest request, string reason)
    {
        if (request.End == DayEnd.Read || !reason.StartsWith("SQLITE_CONSTRAINT", StringComparison.Ordinal))
            _wrong.Add($"{request.Name} ({request.Kind}) was refused: {reason}");
        Count(request, "refused");
        End();
    }

    private void Count(DayRequest request, string end) => _counts.AddOrUpdate((request.Kind, end), 1, (_, count) => count + 1);

    private void End()
    {
        lock (_gate)
        {
            _ended++;
            foreach (var (_, reached) in _waiting.Where(wait => wait.Requests <= _ended))
                reached.TrySetResult();
        }
    }
}
