using Polygraph.Fuzz.Formats;

namespace Polygraph.Fuzz.Running;

/// <summary>
/// Looks at what a worker reads from a thread of its own. A reader that does not end cannot be stopped from outside: the input is named, and
/// whoever owns the watchdog ends the process.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _thread;
    private readonly TimeSpan _patience;
    private readonly Action<Failure> _hung;

    // Guarded by _gate.
    private Watched? _watched;

    /// <param name="patience">How long one input may take.</param>
    /// <param name="hung">Told of an input that took longer, once.</param>
    public Watchdog(TimeSpan patience, Action<Failure> hung)
    {
        (_patience, _hung) = (patience, hung);
        _thread = new Thread(Look) { Name = "watchdog", IsBackground = true };
        _thread.Start();
    }

    public void Watch(Format format, ulong seed, int number, byte[] input)
    {
        lock (_gate)
            _watched = new(format, seed, number, input, Environment.TickCount64);
    }

    public void Rest()
    {
        lock (_gate)
            _watched = null;
    }

    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
    }

    private void Look()
    {
        while (!_ended.Wait(Pause < _patience ? Pause : _patience))
        {
            Watched? watched;
            lock (_gate)
                watched = _watched;
            if (watched is not { } slow || Environment.TickCount64 - slow.Since < _patience.TotalMilliseconds)
                continue;
            _hung(new Failure(slow.Format.Name, slow.Seed, slow.Number, $"It has been read for {_patience.TotalSeconds} s and does not end.", slow.Input));
            return;
        }
    }

    private readonly record struct Watched(Format Format, ulong Seed, int Number, byte[] Input, long Since);
}
