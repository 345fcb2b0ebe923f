using Polygraph.Nemesis.Clusters;

namespace Polygraph.Nemesis.Faults;

/// <summary>A disk without room, on a node that goes on.</summary>
internal sealed class FullDiskFault(AttackedNode target, string database) : Fault
{
    public override string Kind => "disk";

    public override AttackedNode? Target => target;

    public override string Description => $"fill the disk of {target.Id}";

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(2000, 4000);

    public override Task InjectAsync()
    {
        target.Disk!.Fill();
        return Task.CompletedTask;
    }

    public override async Task<string?> EvidenceAsync()
        => await DatabaseStatus.AskAsync(target.Client, database).ConfigureAwait(false) is { Own: { Serving: false, Reason: { } reason } } ? reason : null;

    public override Task HealAsync()
    {
        target.Disk!.MakeRoom();
        return Task.CompletedTask;
    }
}

/// <summary>
/// A node is killed, and one file of a replica of it is damaged while it is down, as by a failing disk. It must serve none of that, and must not
/// take part in a majority with what it has forgotten.
/// </summary>
internal sealed class DamageFault(AttackedNode target, string database, Dice dice) : Fault
{
    private static readonly TimeSpan ComesUpWithin = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private string _done = "nothing";
    private int _logged;

    public override string Kind => "damage";

    public override AttackedNode? Target => target;

    public override string Description => $"kill {target.Id} and damage a file of it: {_done}";

    public override (TimeSpan Min, TimeSpan Max) Hold => Milliseconds(1500, 3500);

    public override Task InjectAsync()
    {
        target.Kill();
        _done = FileDamage.Inflict(target.Layout.Directory, database, dice);
        _logged = target.ReadLog().Length;
        target.Start();
        return Task.CompletedTask;
    }

    // A process needs a few seconds to come up on a loaded machine, and a file is read before it is served.
    public override async Task<string?> EvidenceAsync()
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (target.ReadLog()[_logged..].Split('\n').FirstOrDefault(line => line.Contains("needs a new copy", StringComparison.Ordinal)) is { } line)
                return line.Trim();
            if (TimeProvider.System.GetElapsedTime(begun) > ComesUpWithin
                || await DatabaseStatus.AskAsync(target.Client, database).ConfigureAwait(false) is { Own.Serving: true })
                return null;
            await Task.Delay(LookEvery).ConfigureAwait(false);
        }
    }

    // It heals itself: that is what is tested.
    public override Task HealAsync() => Task.CompletedTask;
}
