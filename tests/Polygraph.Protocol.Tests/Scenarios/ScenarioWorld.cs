using System.Globalization;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Network;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Planted;

namespace Polygraph.Protocol.Tests.Scenarios;

/// <summary>
/// The world of a script: a simulated cluster in which everything takes exactly as long as it always does, and a verb for each line. The
/// checks of the simulator run here, too.
/// </summary>
public sealed class ScenarioWorld
{
    private const ulong Seed = 1;

    /// <summary>How long a request may go unanswered before the script is wrong, in microseconds.</summary>
    private const long AnswerMax = 30_000_000;

    private readonly List<string> _printed = [];
    private Cluster _cluster = null!;
    private ulong _lastValue;

    /// <summary>Carries out one command and returns what happened, line by line.</summary>
    public IReadOnlyList<string> Do(string command)
    {
        _printed.Clear();
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words[0])
        {
            case "cluster":
                Begin(int.Parse(words[1], CultureInfo.InvariantCulture));
                break;
            case "advance":
                _cluster.Time.RunUntil(_cluster.Time.Now + Microseconds(words[1]));
                break;
            case "kill":
                Node(words[1]).Crash(CrashKind.KeepsAll);
                break;
            case "power-off":
                Node(words[1]).Crash(CrashKind.LosesUnsynced);
                break;
            case "start":
                _cluster.Start(Node(words[1]));
                break;
            case "pause":
                Node(words[1]).Pause();
                break;
            case "resume":
                Node(words[1]).Resume();
                break;
            case "hang-up":
                HangUp(Node(words[1]), words.Length > 2 ? [Node(words[2])] : _cluster.Nodes);
                break;
            case "trim":
                Trim(Node(words[1]));
                break;
            case "damage-log":
                Node(words[1]).Disk.Damage();
                break;
            case "slow-disk":
                Node(words[1]).Disk.SyncMicroseconds = (Microseconds(words[2]), Microseconds(words[2]));
                break;
            case "partition":
                Partition(command["partition".Length..].Split('|'));
                break;
            case "cut":
                _cluster.Network.Cut(Node(words[1]).Number, Node(words[3]).Number);
                break;
            case "heal":
                _cluster.Network.HealAll();
                break;
            case "write":
                Write(Node(words[1]), [.. words.Skip(2)]);
                break;
            case "read":
                Read(Node(words[1]), words[2], words.Length > 3 ? ParsePosition(words[3]) : Position.Zero);
                break;
            case "state":
                State();
                break;
            default:
                throw new FormatException($"The script says '{command}', which is no command.");
        }

        return [.. _printed];
    }

    private void Begin(int nodes)
    {
        var delays = new NodeDelays { Report = (1, 1), Snapshot = (1, 1), Writer = (10, 10), Tick = (0, 0), Sync = (100, 100), CheckpointPerMille = 1000 };
        _cluster = new Cluster(nodes, Seed, new GroupOptions(), delays, PlantedBug.None, new Trace(null))
        {
            Announced = (node, happened) => _printed.Add(
                $"{node.Id} {happened.Kind} {happened.Term}{(happened.Node == node.Id ? "" : $" {happened.Node}")}{(happened.Detail is { } detail ? $" ({detail})" : "")}"),
        };
        _cluster.Network.Behaviour = new NetworkBehaviour { DelayMicroseconds = (50, 50) };
        _cluster.StartAll();
    }

    // The log has reached its bound: what the checkpoint holds leaves it, whoever may still need it.
    private void Trim(SimulatedNode node)
    {
        node.TrimLog(node.Disk.Checkpoint.Position.Index);
        _printed.Add($"{node.Id}'s log begins after {node.Log.Base}");
    }

    // The network below knows no connections: this is what the others see of one that closes.
    private static void HangUp(SimulatedNode gone, IEnumerable<SimulatedNode> seenBy)
    {
        foreach (var node in seenBy.Where(node => node != gone))
            node.Step(new Input.Disconnected(gone.Id));
    }

    private void Partition(IReadOnlyList<string> sides)
    {
        var sideOf = new Dictionary<int, int>();
        for (var side = 0; side < sides.Count; side++)
            foreach (var name in sides[side].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                sideOf[Node(name).Number] = side;
        foreach (var (from, fromSide) in sideOf)
            foreach (var (to, toSide) in sideOf)
                if (fromSide != toSide)
                    _cluster.Network.Cut(from, to);
    }

    private void Write(SimulatedNode node, IReadOnlyList<string> settings)
    {
        var named = settings.Select(setting => setting.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        var key = ulong.Parse(named.GetValueOrDefault("key", $"{1000 + ++_lastValue}"), CultureInfo.InvariantCulture);
        var row = int.Parse(named["k"], CultureInfo.InvariantCulture);
        var timeout = TimeSpan.FromMicroseconds(Microseconds(named.GetValueOrDefault("timeout", "5s")));
        WriteReply? answer = null;
        node.FrontDoor.Write(new WriteRequest(row, key, key, Policy(named.GetValueOrDefault("ack", "quorum"), timeout), reply => answer ??= reply));
        Await(() => answer is not null, "the write's answer");
        _printed.Add($"write at {node.Id}: {(answer!.Value.Result is { } result ? TraceText.Of(result) : "refused, nothing was executed")}");
    }

    private void Read(SimulatedNode node, string level, Position token)
    {
        ReadReply? answer = null;
        node.FrontDoor.Begin(Enum.Parse<ReadLevel>(level, ignoreCase: true), token, TimeSpan.FromSeconds(2), reply => answer ??= reply);
        Await(() => answer is not null, "the read's answer");
        _printed.Add($"read at {node.Id}: {answer!.Value.Kind}{(answer.Value.Kind == ReadReplyKind.Answered ? $" from {answer.Value.Saw}" : "")}");
    }

    private void State()
    {
        foreach (var node in _cluster.Nodes)
        {
            var view = node.View;
            var cut = node.Disk.CutFiles.Count > 0 ? $", cut and kept {string.Join(' ', node.Disk.CutFiles.Select(entry => entry.Position))}" : "";
            _printed.Add(node.IsAlive
                ? $"{node.Id} {view.Role} {view.Term}{(view.Relearning ? ", relearning" : "")}: log {view.Appended}, committed {view.Committed}, SQLite {node.Writer.State.Position}{cut}"
                : $"{node.Id} down");
        }
    }

    private void Await(Func<bool> reached, string what)
    {
        var end = _cluster.Time.Now + AnswerMax;
        while (!reached() && _cluster.Time.Now < end)
            _cluster.Time.RunUntil(_cluster.Time.Now + 100);
        if (!reached())
            throw new TimeoutException($"{what} did not come within {AnswerMax / 1_000_000} simulated seconds.");
    }

    private SimulatedNode Node(string name) => _cluster.Node(new NodeId(name));

    private static AckPolicy Policy(string text, TimeSpan timeout)
    {
        var applied = text.EndsWith("+applied", StringComparison.Ordinal);
        var level = (applied ? text[..^"+applied".Length] : text) switch
        {
            "async" => AckLevel.Async,
            "semi-sync" => AckLevel.SemiSync,
            "quorum" => AckLevel.Quorum,
            "all" => AckLevel.All,
            _ => throw new FormatException($"'{text}' is no ack level."),
        };
        return new AckPolicy(level, 1, applied, timeout);
    }

    private static Position ParsePosition(string text)
    {
        var parts = text.Split(':');
        return new Position(
            new Term(ulong.Parse(parts[0].AsSpan(1), CultureInfo.InvariantCulture)),
            new LogIndex(ulong.Parse(parts[1].AsSpan(1), CultureInfo.InvariantCulture)));
    }

    private static long Microseconds(string text)
        => text.EndsWith("ms", StringComparison.Ordinal)
            ? 1_000 * long.Parse(text[..^2], CultureInfo.InvariantCulture)
            : 1_000_000 * long.Parse(text[..^1], CultureInfo.InvariantCulture);
}
