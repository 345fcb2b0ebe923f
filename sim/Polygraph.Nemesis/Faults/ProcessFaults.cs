using Polygraph.Nemesis.Clusters;

namespace Polygraph.Nemesis.Faults;

/// <summary>Something that is done to the processes of one node or several, and undone.</summary>
internal abstract class ProcessesFault(string kind, IReadOnlyList<AttackedNode> targets, Action<AttackedNode> inject, Action<AttackedNode> heal) : Fault
{
    public override string Kind => kind;

    public override AttackedNode? Target => targets is [var only] ? only : null;

    public override string Description => $"{kind} {string.Join(' ', targets.Select(node => node.Id))}";

    public override Task InjectAsync() => ForEach(inject);

    public override Task HealAsync() => ForEach(heal);

    private Task ForEach(Action<AttackedNode> act)
    {
        foreach (var node in targets)
            act(node);
        return Task.CompletedTask;
    }
}

/// <summary>SIGKILL of one node or several, and a start on what they left.</summary>
internal sealed class KillFault(IReadOnlyList<AttackedNode> targets) : ProcessesFault("kill", targets, node => node.Kill(), node => node.Start())
{
    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(100, 2500);

    public override Task<string?> EvidenceAsync() => Task.FromResult<string?>("the processes are gone");
}

/// <summary>SIGTERM, and a start at once.</summary>
internal sealed class RestartFault(AttackedNode target) : Fault
{
    private bool _endedByItself;

    public override string Kind => "restart";

    public override AttackedNode? Target => target;

    public override string Description => $"restart {target.Id}";

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(0, 500);

    public override async Task InjectAsync() => _endedByItself = await target.StopAsync().ConfigureAwait(false);

    public override Task<string?> EvidenceAsync() => Task.FromResult<string?>(_endedByItself ? "it ended when told" : "it had to be killed");

    public override Task HealAsync()
    {
        target.Start();
        return Task.CompletedTask;
    }
}

/// <summary>SIGSTOP for longer than the others wait for a leader, then SIGCONT: it goes on in the middle of what it did, with what the kernel kept for it.</summary>
internal sealed class PauseFault(IReadOnlyList<AttackedNode> targets) : ProcessesFault("pause", targets, node => node.Pause(), node => node.Resume())
{
    private readonly AttackedNode _first = targets[0];

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(1200, 3000);

    public override async Task<string?> EvidenceAsync()
        => await _first.Client.SendAsync(HttpMethod.Get, "/healthz", TimeSpan.FromMilliseconds(100)).ConfigureAwait(false) is Api.Exchange.Answered
            ? null
            : "it does not answer";
}

/// <summary>
/// A node that comes back with a wall clock that is wrong. It stays wrong until the node's next start: a clock that is set right while a process runs
/// is what its next life sees.
/// </summary>
internal sealed class ClockFault(AttackedNode target, TimeSpan offset) : Fault
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public override string Kind => "clock";

    public override AttackedNode? Target => target;

    public override string Description => $"restart {target.Id} with its clock {(offset < TimeSpan.Zero ? "behind" : "ahead")} by {offset.Duration()}";

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(2000, 4000);

    public override Task InjectAsync()
    {
        target.Kill();
        target.ClockOffset = offset;
        target.Start();
        return Task.CompletedTask;
    }

    public override async Task<string?> EvidenceAsync()
    {
        if (await target.Client.SendAsync(HttpMethod.Get, "/v1/doctor", Patience).ConfigureAwait(false) is not Api.Exchange.Answered { Status: 200 } answer)
            return null;
        var told = DateTimeOffset.UnixEpoch.AddMicroseconds(answer.Body.GetProperty("wallMicroseconds").GetInt64());
        var seen = told - TimeProvider.System.GetUtcNow();
        return (seen - offset).Duration() < Patience ? $"it says that it is {told:u}" : null;
    }

    public override Task HealAsync()
    {
        target.ClockOffset = TimeSpan.Zero;
        return Task.CompletedTask;
    }
}
