using System.Collections.Concurrent;
using System.Diagnostics;
using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz.Running;

/// <summary>Batches of all formats in turn, on as many threads as asked for, until so many inputs were read or the time is up.</summary>
internal sealed class FuzzRun
{
    /// <summary>Longer than any pause of a loaded machine; see <see cref="Trial.TimeMax"/> for what counts as slow.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Failures of different kinds; with more, something is wrong that needs no more examples.</summary>
    private const int FailuresMax = 20;

    /// <summary>In a smaller batch there would be more valid structures than damaged copies of them.</summary>
    private const int BatchInputsWanted = 64;

    private readonly Options _options;
    private readonly IReadOnlyList<Format> _schedule;
    private readonly int _batchInputs;
    private readonly Action<Failure> _hung;
    private readonly ConcurrentDictionary<string, Tally> _tallies = new();
    private readonly ConcurrentDictionary<string, Failure> _failures = new();
    private long _batches;
    private long _left;

    public FuzzRun(Options options, IReadOnlyList<Format> formats, Action<Failure> hung)
    {
        _options = options;
        _schedule = Schedule(formats);
        _batchInputs = BatchInputs(options.Inputs, formats.Count, _schedule.Count);
        _hung = hung;
        _left = options.Inputs;
    }

    public IReadOnlyDictionary<string, Tally> Tallies => _tallies;

    /// <summary>One of each kind, shrunk.</summary>
    public IReadOnlyCollection<Failure> Failures => [.. _failures.Values.OrderBy(failure => failure.Kind, StringComparer.Ordinal)];

    public TimeSpan Elapsed { get; private set; }

    public void Run()
    {
        foreach (var format in _schedule.Distinct())
            WarmUp(format);
        var started = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, _options.Cores).Select(number => new Thread(() => Work(started)) { Name = $"fuzz {number}" }).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Elapsed = Stopwatch.GetElapsedTime(started);
    }

    /// <summary>What is compiled, loaded and filled once must not be counted against the first input.</summary>
    private void WarmUp(Format format)
    {
        using var watchdog = new Watchdog(Patience, _hung);
        Batch.Run(format, _options.Seed, Batch.InputsMax, new Tally(), watchdog, _ => { });
    }

    private void Work(long started)
    {
        using var watchdog = new Watchdog(Patience, _hung);
        while (_failures.Count < FailuresMax && (_options.Duration is not { } limit || Stopwatch.GetElapsedTime(started) < limit))
        {
            var inputs = (int)Math.Min(_batchInputs, Interlocked.Add(ref _left, -_batchInputs) + _batchInputs);
            if (inputs <= 0)
                return;
            var number = (ulong)(Interlocked.Increment(ref _batches) - 1);
            var format = _schedule[(int)(number % (ulong)_schedule.Count)];
            var tally = new Tally();
            Batch.Run(format, _options.Seed + number, inputs, tally, watchdog, failure => Report(format, failure));
            var sum = _tallies.GetOrAdd(format.Name, _ => new Tally());
            lock (sum)
                sum.Add(tally);
        }
    }

    private void Report(Format format, Failure failure)
    {
        if (!_failures.ContainsKey(failure.Kind))
            _failures.TryAdd(failure.Kind, Shrinker.Shrink(format, failure));
    }

    /// <summary>
    /// So many inputs a batch that each format has all of its turns, or one at least, before the inputs are used up. A format alone has whole
    /// batches: the command that repeats a failure asks for the beginning of one.
    /// </summary>
    private static int BatchInputs(long inputs, int formats, int turns)
        => formats == 1 ? Batch.InputsMax : (int)Math.Clamp(inputs / turns, Math.Clamp(inputs / formats, 1, BatchInputsWanted), Batch.InputsMax);

    /// <summary>Every format as often as its weight says, spread out; the first turn of each is before the second of any.</summary>
    private static List<Format> Schedule(IReadOnlyList<Format> formats)
    {
        var turns = formats.SelectMany(format => Enumerable.Range(0, format.Weight).Select(turn => (Format: format, At: turn / (double)format.Weight)));
        return [.. turns.OrderBy(turn => turn.At).Select(turn => turn.Format)];
    }
}
