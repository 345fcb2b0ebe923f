using System.Runtime.InteropServices;

namespace Polygraph.Cli;

/// <summary>
/// Ctrl-C, SIGTERM and a closed terminal as one token. The second of them ends the process at once: whoever presses Ctrl-C twice means it.
/// While a <see cref="Divert"/> is open, Ctrl-C cancels that instead: one request of a shell, not the shell.
/// </summary>
public sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private volatile CancellationTokenSource? _diverted;

    public Interrupt()
        => _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle),
        ];

    public CancellationToken Token => _source.Token;

    /// <summary>Until it is disposed, Ctrl-C cancels <paramref name="target"/> and nothing else.</summary>
    public IDisposable Divert(CancellationTokenSource target)
    {
        _diverted = target;
        return new Diversion(this);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (context.Signal == PosixSignal.SIGINT && _diverted is { } diverted)
        {
            context.Cancel = true;
            diverted.Cancel();
            return;
        }

        if (_source.IsCancellationRequested)
            return;

        context.Cancel = true;
        _source.Cancel();
    }

    private sealed class Diversion(Interrupt interrupt) : IDisposable
    {
        public void Dispose() => interrupt._diverted = null;
    }
}
