using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Checking;

/// <summary>How much of a history is ok, fail and info: what says whether it can prove anything.</summary>
internal sealed class Shares
{
    private readonly int _all;
    private readonly int _ok;
    private readonly int _fail;
    private readonly int _info;
    private readonly int _leaderChanges;

    public Shares(History history)
    {
        _all = history.Operations.Count;
        foreach (var operation in history.Operations)
            _ = operation.Type switch
            {
                OperationType.Ok => _ok++,
                OperationType.Fail => _fail++,
                _ => _info++,
            };
        _leaderChanges = history.LeaderChanges;
    }

    /// <summary>Why the history proves nothing, whatever its operations say; null if it may.</summary>
    public string? Refusal(HistoryHeader header, CheckOptions options)
        => _all < options.OperationsMin ? FormattableString.Invariant($"too small, {options.OperationsMin:n0} operations are the least")
            : _ok * 100L < _all * (long)options.OkPercentMin ? FormattableString.Invariant($"less than {options.OkPercentMin} % of it is ok")
            : header.IsLeaderChangeMeant && _leaderChanges == 0 ? "the leader never changed, although that was meant"
            : null;

    public override string ToString()
        => FormattableString.Invariant(
            $"{_all:n0} ops, {Share(_ok):0.0} % ok, {Share(_fail):0.0} % fail, {Share(_info):0.0} % info, {_leaderChanges:n0} leader {(_leaderChanges == 1 ? "change" : "changes")}");

    private double Share(int count) => _all == 0 ? 0 : 100.0 * count / _all;
}
