using System.Globalization;
using Polygraph.Cli.Processes;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Clusters;

/// <summary>How a node's process is.</summary>
internal enum NodeCondition
{
    Down,
    Running,
    Paused,
}

/// <summary>
/// A node of the cluster under attack: its process, its disk, its clock, and a client that speaks with it. Started, stopped and hurt by one task; the
/// client may be used by all.
/// </summary>
internal sealed class AttackedNode(NodeLayout layout, IReadOnlyDictionary<string, string> peers, SmallDisk? disk) : IDisposable
{
    private NodeProcess? _process;
    private TimeSpan _runsWithOffset;

    public string Id => Layout.Id;

    public int Number => Client.Number;

    public NodeLayout Layout { get; } = layout;

    public NodeClient Client { get; } = new(layout.Id, layout.Url);

    public NodeCondition Condition { get; private set; } = NodeCondition.Down;

    /// <summary>How far its wall clock is ahead of the machine's, from its next start on.</summary>
    public TimeSpan ClockOffset { get; set; }

    public SmallDisk? Disk => disk;

    /// <summary>A process that ended although nobody ended it.</summary>
    public bool DiedByItself => Condition == NodeCondition.Running && _process!.HasExited;

    public void Start()
    {
        _process?.Dispose();
        IReadOnlyList<string> options = ClockOffset == TimeSpan.Zero
            ? []
            : ["--clock-offset=" + ((long)ClockOffset.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "ms"];
        _process = NodeProcess.Start(ProgramFile.Path, Layout, peers, options, detached: false);
        _runsWithOffset = ClockOffset;
        Condition = NodeCondition.Running;
    }

    /// <summary>SIGKILL, also if it is paused.</summary>
    public void Kill()
    {
        _process!.Kill();
        Condition = NodeCondition.Down;
    }

    /// <summary>SIGTERM, and SIGKILL if it does not end by itself. True if it did.</summary>
    public async Task<bool> StopAsync()
    {
        Condition = NodeCondition.Down;
        return await _process!.StopAsync().ConfigureAwait(false);
    }

    /// <summary>SIGSTOP.</summary>
    public void Pause()
    {
        _process!.Pause();
        Condition = NodeCondition.Paused;
    }

    /// <summary>SIGCONT.</summary>
    public void Resume()
    {
        _process!.Resume();
        Condition = NodeCondition.Running;
    }

    /// <summary>Whatever is wrong with process, disk and clock is undone; a clock by a start.</summary>
    public void Heal()
    {
        disk?.MakeRoom();
        ClockOffset = TimeSpan.Zero;
        if (_runsWithOffset != TimeSpan.Zero && Condition == NodeCondition.Running)
            Kill();
        if (Condition == NodeCondition.Paused)
            Resume();
        if (Condition == NodeCondition.Down || DiedByItself)
            Start();
    }

    /// <summary>What the node has logged, over all its lives.</summary>
    public string ReadLog() => File.Exists(Layout.LogPath) ? File.ReadAllText(Layout.LogPath) : "";

    /// <summary>Kills the process and copies the files of its small disk, if it has one, to a directory beside it.</summary>
    public void KeepDisk()
    {
        if (Condition != NodeCondition.Down)
            Kill();
        disk?.CopyTo(Layout.Directory + ".kept");
    }

    public void Dispose()
    {
        _process?.Dispose();
        Client.Dispose();
        disk?.Dispose();
    }
}
