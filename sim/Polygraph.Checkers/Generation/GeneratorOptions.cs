using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Generation;

/// <summary>What history is to be generated.</summary>
/// <param name="Workload">What its clients do.</param>
/// <param name="Operations">How many operations, without the final reads.</param>
/// <param name="Seed">The same options give the same history.</param>
/// <param name="Clients">How many clients work at the same time.</param>
/// <param name="Keys">How many registers; sets, logs and lists that are used at a time; or accounts.</param>
/// <param name="HasFaults">Whether leaders die, so that operations fail or end unknown.</param>
public sealed record GeneratorOptions(Workload Workload, int Operations, int Seed, int Clients = 10, int Keys = 10, bool HasFaults = true);
