using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Clients;

/// <summary>
/// One session: writes and reads at whatever node it likes, one after the other, retries what it has no answer to under the same key, and
/// carries its token. It believes what it is told; whether that was true is checked where it was said.
/// </summary>
public sealed class SimulatedClient(int number, Cluster cluster, Workload workload, Dice dice, ClientTally tally)
{
    /// <summary>How often a write is tried before its client gives up on it.</summary>
    private const int AttemptsMax = 8;

    /// <summary>How long past its own timeout a client waits for an answer that may have been lost: microseconds.</summary>
    private const long PatienceMicroseconds = 1_000_000;

    private static readonly ReadLevel[] ReadLevels =
        [ReadLevel.Linearizable, ReadLevel.Linearizable, ReadLevel.Session, ReadLevel.Session, ReadLevel.Bounded, ReadLevel.Bounded, ReadLevel.Any, ReadLevel.Local];


    private static readonly AckLevel[] AckLevels = [AckLevel.SemiSync, AckLevel.Quorum, AckLevel.Quorum, AckLevel.All];

    private Position _token;
    private ulong _lastValue;
    private int _requests;
    private bool _stopped;
    private Happening? _next;

    /// <summary>Begins, and goes on until <see cref="Stop"/>.</summary>
    public void Start() => cluster.Time.After(dice.Between(1, 200_000), _next = Happening.Of(Next));

    /// <summary>Begins nothing new; what is on its way ends as it may.</summary>
    public void Stop() => _stopped = true;

    private void Next()
    {
        if (_stopped || _requests++ >= workload.RequestsMax)
            return;
        if (dice.Chance(workload.ReadPerMille))
            Read(dice.Pick(ReadLevels));
        else
            Write(NewWrite(), AttemptsMax);
    }

    private WriteRequest NewWrite()
    {
        var identity = ((ulong)number << 32) | ++_lastValue;
        return new WriteRequest(dice.Below(KeyValueState.Keys), identity, identity, RandomPolicy(), static _ => { });
    }

    private AckPolicy RandomPolicy()
    {
        while (true)
        {
            var policy = AnyPolicy();
            if (AckPolicyRules.Refusal(policy, cluster.Nodes.Length) is null)
                return policy;
        }
    }

    private AckPolicy AnyPolicy()
        => new(
            dice.Chance(workload.AsyncPerMille)
                ? AckLevel.Async
                : dice.Pick(AckLevels),
            Copies: dice.Chance(800) || cluster.Nodes.Length < 3 ? 1 : 2,
            Applied: dice.Chance(250),
            TimeSpan.FromMilliseconds(dice.Between(20, workload.TimeoutMillisecondsMax)));

    private void Write(WriteRequest write, int attempts)
    {
        tally.Writes++;
        var attempt = new WriteAttempt(this, write, attempts);
        Send(new WriteArrives(dice.Pick(cluster.Nodes), attempt.Request));
        if (dice.Chance(100))
            Send(new WriteArrives(dice.Pick(cluster.Nodes), attempt.Request));
        cluster.Time.After((write.Policy.Timeout.Ticks / TimeSpan.TicksPerMicrosecond) + PatienceMicroseconds, attempt);
    }

    private void WriteEnded(WriteRequest write, WriteReply reply, int attempts)
    {
        if (reply.Receipt is { } receipt && (reply.Reached || reply.Outcome == Outcome.Applied))
        {
            tally.Acked++;
            tally.AckedAt[(int)receipt.Requested.Level]++;
            if (receipt.Requested.Applied)
                tally.AckedApplied++;
            if (receipt.Degraded)
                tally.AckedDegraded++;
            _token = receipt.Position > _token ? receipt.Position : _token;
        }
        else if (attempts > 1 && !_stopped)
        {
            TryAgain(write, attempts - 1);
            return;
        }

        Think();
    }

    private void TryAgain(WriteRequest write, int attempts)
    {
        tally.Retried++;
        cluster.Time.After(dice.LongTailed(500, 300_000), () => Write(write, attempts));
    }

    private void Read(ReadLevel level)
    {
        tally.Reads++;
        var attempt = new ReadAttempt(this, level);
        var timeout = TimeSpan.FromMilliseconds(dice.Between(20, workload.TimeoutMillisecondsMax));
        var request = Bound(new ReadRequest(level, _token, timeout, attempt.Answered));
        Send(new ReadArrives(dice.Pick(cluster.Nodes), request));
        cluster.Time.After((2 * timeout.Ticks / TimeSpan.TicksPerMicrosecond) + PatienceMicroseconds, attempt);
    }

    private ReadRequest Bound(ReadRequest request)
    {
        if (request.Level != ReadLevel.Bounded)
            return request;
        var kind = dice.Below(3);
        return request with
        {
            MaxStaleness = kind == 0 ? null : TimeSpan.FromMicroseconds(dice.LongTailed(1_000, 2_000_000)),
            MaxLag = kind == 1 ? null : (ulong)dice.Below(20),
        };
    }

    private void ReadEnded(ReadLevel level, ReadReply reply)
    {
        switch (reply.Kind)
        {
            case ReadReplyKind.Answered:
                tally.ReadsAnswered++;
                tally.AnsweredAt[(int)level]++;

                // What a local read showed may vanish; it makes no promise to the session.
                if (level != ReadLevel.Local)
                    _token = reply.Saw > _token ? reply.Saw : _token;
                break;
            case ReadReplyKind.SessionLost:
                tally.SessionsLost++;
                _token = Position.Zero;
                break;
        }

        Think();
    }

    private void Think() => cluster.Time.After(dice.LongTailed(200, workload.ThinkMicrosecondsMax), _next!);

    private void Send(Happening arrives) => cluster.Time.After(dice.LongTailed(20, 2_000), arrives);

    private sealed class WriteArrives(SimulatedNode node, WriteRequest request) : Happening
    {
        public override void Happen()
        {
            if (node.RunsOrDefers(this))
                node.FrontDoor.Write(request);
        }
    }

    private sealed class ReadArrives(SimulatedNode node, ReadRequest request) : Happening
    {
        public override void Happen()
        {
            if (node.RunsOrDefers(this))
                node.FrontDoor.Begin(request);
        }
    }

    /// <summary>A write that was sent. It ends with its first answer; what happens by itself is that its client waits no longer.</summary>
    private sealed class WriteAttempt : Happening
    {
        private readonly SimulatedClient _client;
        private readonly WriteRequest _write;
        private readonly int _attempts;
        private bool _answered;

        public WriteAttempt(SimulatedClient client, WriteRequest write, int attempts)
        {
            (_client, _write, _attempts) = (client, write, attempts);
            Request = write with { Reply = Answered };
        }

        public WriteRequest Request { get; }

        public override void Happen() => Answered(new WriteReply(Outcome.Unknown, false, null, null));

        private void Answered(WriteReply reply)
        {
            if (_answered)
                return;
            _answered = true;
            _client.WriteEnded(_write, reply, _attempts);
        }
    }

    /// <summary>The same for a read.</summary>
    private sealed class ReadAttempt(SimulatedClient client, ReadLevel level) : Happening
    {
        private bool _answered;

        public override void Happen() => Answered(new ReadReply(ReadReplyKind.TryAgain, default));

        public void Answered(ReadReply reply)
        {
            if (_answered)
                return;
            _answered = true;
            client.ReadEnded(level, reply);
        }
    }
}

/// <summary>What all clients of a simulation did.</summary>
public sealed class ClientTally
{
    public long Writes { get; set; }

    public long Acked { get; set; }

    /// <summary>Acked writes by the level that was asked for.</summary>
    public long[] AckedAt { get; } = new long[(int)AckLevel.All + 1];

    public long AckedApplied { get; set; }

    public long AckedDegraded { get; set; }

    /// <summary>Answered reads by level.</summary>
    public long[] AnsweredAt { get; } = new long[(int)ReadLevel.Local + 1];

    public long Retried { get; set; }

    public long Reads { get; set; }

    public long ReadsAnswered { get; set; }

    public long SessionsLost { get; set; }

    public void Add(ClientTally other)
    {
        Writes += other.Writes;
        Acked += other.Acked;
        AckedApplied += other.AckedApplied;
        AckedDegraded += other.AckedDegraded;
        for (var level = 0; level < AckedAt.Length; level++)
            AckedAt[level] += other.AckedAt[level];
        for (var level = 0; level < AnsweredAt.Length; level++)
            AnsweredAt[level] += other.AnsweredAt[level];
        Retried += other.Retried;
        Reads += other.Reads;
        ReadsAnswered += other.ReadsAnswered;
        SessionsLost += other.SessionsLost;
    }
}
