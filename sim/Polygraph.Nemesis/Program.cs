using System.Runtime.InteropServices;
using Polygraph.Nemesis;
using Polygraph.Nemesis.Results;

if (args is ["sum", _, ..])
    return Sums.Print(args[1..], Console.Out, Console.Error);
if (args is ["controls"])
    return await ControlRun.RunAsync(Console.Out);
var (options, problem) = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(Options.Usage);
    return 2;
}

// The history under way is brought to its end, so that processes and mounts are taken away as always.
using var interrupted = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using var campaign = new Campaign(options, Console.Out, interrupted.Token);
return await campaign.RunAsync();

void Interrupt(PosixSignalContext signal)
{
    signal.Cancel = true;
    interrupted.Cancel();
}
