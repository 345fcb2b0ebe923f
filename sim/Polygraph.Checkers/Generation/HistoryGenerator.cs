using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Generation;

/// <summary>
/// Makes good histories of any size: concurrent clients of a tiny reference cluster that is correct by construction, because every operation takes effect at
/// one moment between its start and its end. Leaders die; operations of that time fail, or end unknown and take effect late or never. Sessions read from
/// replicas that lag.
/// </summary>
public sealed class HistoryGenerator
{
    private const long Millisecond = 1_000_000;

    private const int NodeCount = 3;

    private readonly GeneratorOptions _options;
    private readonly Random _random;
    private readonly ReferenceCluster _cluster;
    private readonly OperationPlan _plan;
    private readonly List<Operation> _operations = [];
    private readonly List<HistoryEvent> _events = [];
    private readonly PriorityQueue<Action<long>, (long At, int Order)> _agenda = new();
    private readonly Dictionary<int, LogPosition> _tokens = [];
    private int _scheduled;
    private int _started;
    private int _leader = 1;
    private long _outageUntil;

    private HistoryGenerator(GeneratorOptions options)
    {
        _options = options;
        _random = new Random(options.Seed);
        _cluster = new ReferenceCluster(options);
        _plan = new OperationPlan(options, _random);
    }

    public static History Generate(GeneratorOptions options) => new HistoryGenerator(options).Run();

    private bool IsSession => _options.Workload == Workload.Session;

    private History Run()
    {
        _events.Add(new HistoryEvent.Leader(_leader, 1) { AtNanoseconds = 0 });
        for (var client = 0; client < _options.Clients; client++)
        {
            var number = client;
            Schedule(_random.NextInt64(Millisecond), now => Start(number, now));
        }

        if (_options.HasFaults)
            Schedule(NextFault(0), Fault);
        var last = 0L;
        while (_agenda.TryDequeue(out var action, out var due))
            action(last = due.At);
        ReadFinally(last + (1000 * Millisecond));
        var header = new HistoryHeader
        {
            Workload = _options.Workload,
            AckLevel = "quorum",
            ReadLevel = IsSession ? "session" : "linearizable",
            Seed = _options.Seed,
            Faults = _options.HasFaults ? ["kill"] : [],
            // A handful of operations may be over before any leader dies.
            IsLeaderChangeMeant = _options.HasFaults && _operations.Count >= 10_000,
            Accounts = _cluster.OpeningBalances,
        };
        return new History(header, _operations, _events, IsCut: false);
    }

    private void Schedule(long at, Action<long> action) => _agenda.Enqueue(action, (at, _scheduled++));

    private void Start(int client, long now)
    {
        if (_started >= _options.Operations)
            return;
        _started++;
        var operation = _plan.Next(client, now) with { Node = 1 + _random.Next(NodeCount), Session = IsSession ? FormattableString.Invariant($"s{client}") : null };
        var effect = now + _random.NextInt64(Millisecond);
        if (now < _outageUntil)
            EndUncertain(operation, now);
        else
            Schedule(effect, at => TakeEffect(operation, at));
    }

    private void TakeEffect(Operation operation, long now)
    {
        // The leader died while it was under way.
        if (now < _outageUntil)
        {
            EndUncertain(operation, now);
            return;
        }

        var done = Execute(operation, now);
        Finish(done with { EndNanoseconds = now + 1 + _random.NextInt64(Millisecond) });
    }

    private Operation Execute(Operation operation, long now)
    {
        var done = _cluster.Execute(operation, now, IsSession ? _tokens.GetValueOrDefault(operation.Client) : null);
        if (done.Position is { } position && position.Index > _tokens.GetValueOrDefault(operation.Client).Index)
            _tokens[operation.Client] = position;
        return done;
    }

    private void EndUncertain(Operation operation, long now)
    {
        var end = now + 1 + _random.NextInt64(20 * Millisecond);
        if (_random.Next(4) == 0)
        {
            Finish(operation with { Type = OperationType.Fail, Error = "NOT_LEADER", EndNanoseconds = end });
            return;
        }

        // Half of what the client does not know happens: when the next leader is there, or long after.
        if (operation.Kind != OperationKind.Read && _random.Next(2) == 0)
            Schedule(Math.Max(_outageUntil, now) + _random.NextInt64((_random.Next(4) == 0 ? 500 : 5) * Millisecond), at => _cluster.Execute(operation, at, null));
        var isOpen = _random.Next(3) == 0;
        Finish(operation with { Type = OperationType.Info, Error = "TIMEOUT", EndNanoseconds = isOpen ? null : end }, end);
    }

    private void Finish(Operation operation, long? next = null)
    {
        var end = operation.EndNanoseconds ?? next!.Value;
        _operations.Add(operation);
        Schedule(end + 1 + _random.NextInt64(Millisecond / 2), now => Start(operation.Client, now));
    }

    private long NextFault(long now) => now + (30 * Millisecond) + _random.NextInt64(170 * Millisecond);

    private void Fault(long now)
    {
        if (_started >= _options.Operations)
            return;
        _events.Add(new HistoryEvent.Fault("kill", _leader) { AtNanoseconds = now });
        var died = _leader;
        _outageUntil = now + (5 * Millisecond) + _random.NextInt64(10 * Millisecond);
        Schedule(_outageUntil, at =>
        {
            _leader = 1 + (died % NodeCount);
            _cluster.BeginTerm();
            _events.Add(new HistoryEvent.Leader(_leader, _cluster.Term) { AtNanoseconds = at });
            _events.Add(new HistoryEvent.Heal("kill", died) { AtNanoseconds = at });
        });
        Schedule(NextFault(_outageUntil), Fault);
    }

    private void ReadFinally(long now)
    {
        foreach (var read in _plan.FinalReads())
        {
            for (var node = 1; node <= NodeCount; node++)
            {
                now += Millisecond;
                var operation = read with { Client = _options.Clients, Node = node, StartNanoseconds = now, IsFinal = true };
                if (IsSession)
                    operation = operation with { Session = "final" };
                _operations.Add(_cluster.Execute(operation, now, _cluster.Newest) with { EndNanoseconds = now + (Millisecond / 2) });
            }
        }
    }
}
