using System.Globalization;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>How a client behaves; drawn once, so that a history has clients of several kinds.</summary>
/// <param name="AttemptsMax">How often a write whose outcome is told by its receipt is sent in all, with one idempotency key.</param>
/// <param name="Roams">Whether every operation goes to another node, rather than to one until that fails.</param>
/// <param name="Patience">How long it waits for an answer.</param>
/// <param name="AckTimeout">How long it lets the cluster try to reach the ack level; null leaves that to the cluster.</param>
internal sealed record ClientHabits(int AttemptsMax, bool Roams, TimeSpan Patience, string? AckTimeout);

/// <summary>One client: one operation at a time, each recorded with what the client may conclude from the answer.</summary>
internal sealed class Client
{
    /// <summary>Numbers of clients that follow upon one another in one place: whoever is in doubt about an operation goes on as somebody else.</summary>
    private const int NumbersApart = 100;

    /// <summary>Before the next attempt after one that nobody took: a refused connection costs nothing, and would be tried thousands of times.</summary>
    private static readonly TimeSpan PauseAfterRefusal = TimeSpan.FromMilliseconds(25);

    private readonly ClientScene _scene;
    private readonly ClientHabits _habits;
    private readonly Dice _dice;
    private readonly int _place;
    private int _number;
    private AttackedNode _node;

    // The session that it is in.
    private int _sessions;
    private string? _token;

    public Client(ClientScene scene, int place, ClientHabits habits, Dice dice)
    {
        (_scene, _place, _habits, _dice) = (scene, place, habits, dice);
        _number = place;
        _node = scene.Cluster.Nodes[place % scene.Cluster.Nodes.Count];
    }

    private string Session => string.Create(CultureInfo.InvariantCulture, $"s{_place}-{_sessions}");

    private bool HasSession => _scene.Claimed.Read == "session";

    // In a negative control the client believes that it is in a session, and does not ask for one.
    private string? TokenSent => _scene.Levels.Read == "session" ? _token : null;

    /// <summary>Operates until it is told to stop, at no more than its share of the rate.</summary>
    public async Task RunAsync(TimeSpan pace, CancellationToken stopping)
    {
        var clock = TimeProvider.System;
        var due = clock.GetTimestamp();
        var interval = (long)(pace.TotalSeconds * clock.TimestampFrequency);
        while (!stopping.IsCancellationRequested)
        {
            // Time that was lost in waiting for answers is made up for, but not all at once.
            due = Math.Max(due, clock.GetTimestamp() - (20 * interval)) + interval;
            await OperateAsync(_scene.Workload.Next(_dice, _scene.Levels)).ConfigureAwait(false);
            if (clock.GetElapsedTime(clock.GetTimestamp(), due) is { Ticks: > 0 } early)
                await Task.Delay(early, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task OperateAsync(Step step)
    {
        if (_habits.Roams || _dice.Chance(5))
            _node = _dice.Pick(_scene.Cluster.Nodes);
        var start = _scene.Recording.Now;
        var asked = _node;
        var (ending, answer) = await AttemptAsync(step).ConfigureAwait(false);
        var operation = ending.ToOperation(step) with
        {
            Client = _number,
            StartNanoseconds = start,
            EndNanoseconds = ending.Type == OperationType.Info ? null : _scene.Recording.Now,
            Node = asked.Number,
            // A session that was lost on the way is over: the operation belongs to the one that began then.
            Session = HasSession ? Session : null,
            Position = PositionOf(answer),
        };
        _scene.Recording.Add(operation);
        if (operation is { Position: not null, Type: OperationType.Ok })
            _scene.Observations.NoteTold(operation, _scene.Claimed.Ack, answer!);
        if (ending.Type == OperationType.Info)
        {
            _number += NumbersApart;
            BeginSession();
        }
    }

    private async Task<(Ending Ending, Exchange.Answered? Answer)> AttemptAsync(Step step)
    {
        var repeats = step.MayBeRepeated && _habits.AttemptsMax > 1;
        var call = step.Call with { Ack = WithTimeout(step.Call.Ack), Key = repeats ? Guid.CreateVersion7().ToString() : null };
        var ending = Ending.Unknown;
        for (var attempt = 1; ; attempt++)
        {
            var sent = TimeProvider.System.GetTimestamp();
            var exchange = await _node.Client.SqlAsync(_scene.Database, call with { Session = TokenSent }, _habits.Patience).ConfigureAwait(false);
            ending = Ending.Of(exchange, step, attempt == 1 ? null : ending, _scene.Claimed);
            Learn(exchange, step, TimeProvider.System.GetElapsedTime(sent));
            if (ending.Type == OperationType.Ok)
                return (ending, exchange as Exchange.Answered);
            if (exchange is not Exchange.Answered { Status: < 500 } || ending.Type == OperationType.Info)
                _node = _dice.Pick(_scene.Cluster.Nodes);
            if (exchange is Exchange.NotSent or Exchange.Answered { Status: 503 })
                await Task.Delay(PauseAfterRefusal).ConfigureAwait(false);
            if (!repeats || attempt == _habits.AttemptsMax || ending.IsFinal)
                return (ending, null);
        }
    }

    // Also from errors, which carry a token as far as it is known.
    private void Learn(Exchange exchange, Step step, TimeSpan took)
    {
        _scene.Observations.Note(exchange, step.Call, took);
        if (exchange is not Exchange.Answered answer)
            return;
        if (answer.Code == "SESSION_LOST")
            BeginSession();
        else if (answer.Session is { } token)
            _token = token;
    }

    private void BeginSession()
    {
        _sessions++;
        _token = null;
    }

    private string? WithTimeout(string? ack) => ack is null || _habits.AckTimeout is null ? ack : $"{ack}; timeout={_habits.AckTimeout}";

    /// <summary>Where the answer says that it stands; null: it does not.</summary>
    public static LogPosition? PositionOf(Exchange.Answered? answer)
        => answer?.Receipt is { } receipt ? new LogPosition(receipt.Term, receipt.Index)
            : answer?.Read is { } read ? new LogPosition(read.Term, read.Index)
            : null;
}
