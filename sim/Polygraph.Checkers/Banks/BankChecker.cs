using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Banks;

/// <summary>
/// Judges a bank: no read sees money made or gone (Jepsen's workload "bank"), and, beyond that, the balances of every read are what the transfers add up
/// to that were over before it, with some of those that could have been done by then.
/// </summary>
internal sealed class BankChecker
{
    private readonly HistoryHeader _header;
    private readonly Findings _findings;
    private readonly CheckOptions _options;
    private readonly Dictionary<string, int> _accounts;
    private readonly long[] _opening;
    private readonly Operation[] _byStart;
    private readonly Operation[] _byEnd;
    private bool _isUnexplained;

    private BankChecker(History history, CheckOptions options, Findings findings)
    {
        (_header, _findings, _options) = (history.Header, findings, options);
        var names = _header.Accounts.Keys.Order(StringComparer.Ordinal).ToArray();
        _accounts = names.Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number, StringComparer.Ordinal);
        _opening = Array.ConvertAll(names, name => _header.Accounts[name]);
        var transfers = history.Operations.Where(operation => operation is { Kind: OperationKind.Transfer, Type: not OperationType.Fail }).ToArray();
        _byStart = [.. transfers.OrderBy(transfer => transfer.StartNanoseconds)];
        _byEnd = [.. transfers.Where(transfer => transfer.Type == OperationType.Ok).OrderBy(transfer => transfer.EndNanoseconds)];
    }

    /// <exception cref="UnusableHistoryException">The header has no accounts, or a transfer names one that is not there.</exception>
    public static void Check(History history, CheckOptions options, Findings findings)
    {
        if (history.Header.Accounts.Count == 0)
            throw new UnusableHistoryException("the header of a bank history says in \"accounts\" what each account held at first");
        var bank = new BankChecker(history, options, findings);
        var reads = history.Operations.Where(operation => operation is { Kind: OperationKind.Read, Type: OperationType.Ok }).OrderBy(read => read.StartNanoseconds).ToArray();
        findings.Note($"{history.Header.Accounts.Count:n0} accounts, {reads.Length:n0} reads");
        if (reads.Length == 0)
            findings.Refuse("without a read nothing is known of the balances");
        bank.CheckReads(reads);
    }

    private void CheckReads(Operation[] reads)
    {
        var certain = (long[])_opening.Clone();
        var ledger = new Ledger(_opening.Length, _options.WorkMax);
        var (nextStart, nextEnd) = (0, 0);
        foreach (var read in reads)
        {
            for (; nextEnd < _byEnd.Length && _byEnd[nextEnd].EndedBefore(read); nextEnd++)
                Apply(certain, MovementOf(_byEnd[nextEnd]));
            for (; nextStart < _byStart.Length && _byStart[nextStart].StartNanoseconds <= read.EndNanoseconds; nextStart++)
                ledger.Open(_byStart[nextStart], MovementOf(_byStart[nextStart]));
            ledger.CloseBefore(read);
            if (BalancesOf(read) is not { } balances || !IsTotalRight(read, balances) || _isUnexplained)
                continue;
            // What a replica shows that lags behind is right at some earlier time; and what was lost at a weak ack level is no mistake.
            if (_header.AreAcksDurable && (_header.AreReadsLinearizable || read.IsFinal))
                CheckExplained(read, balances, certain, ledger);
        }
    }

    private long[]? BalancesOf(Operation read)
    {
        var balances = new long[_opening.Length];
        if (read.Out.Kind != ValueKind.Map || read.Out.Entries.Count != balances.Length)
        {
            _findings.Add(AnomalyKinds.WrongAccounts, () => $"{read.InWords()} does not hold the {_opening.Length} accounts of the header");
            return null;
        }

        foreach (var (name, balance) in read.Out.Entries)
        {
            if (!_accounts.TryGetValue(name, out var account) || balance.Kind != ValueKind.Number)
            {
                _findings.Add(AnomalyKinds.WrongAccounts, () => $"{read.InWords()} holds {name}: {balance}, which is no account of the header");
                return null;
            }

            balances[account] = balance.Number;
        }

        return balances;
    }

    private bool IsTotalRight(Operation read, long[] balances)
    {
        if (balances.Any(balance => balance < 0) && _opening.All(balance => balance >= 0))
            _findings.Add(AnomalyKinds.Overdrawn, () => $"{read.InWords()} has an account below zero");
        if (balances.Sum() == _opening.Sum())
            return true;
        _findings.Add(AnomalyKinds.WrongTotal, () => $"{read.InWords()} adds up to {balances.Sum()}, and not to {_opening.Sum()}");
        return false;
    }

    private void CheckExplained(Operation read, long[] balances, long[] certain, Ledger ledger)
    {
        var difference = new long[balances.Length];
        for (var account = 0; account < balances.Length; account++)
            difference[account] = balances[account] - certain[account];
        var isExplained = ledger.Explains(read, difference);
        if (isExplained == true)
            return;
        // What is wrong once stays wrong: every later read would be searched in vain.
        _isUnexplained = true;
        if (isExplained is null)
            _findings.Undecide($"which of {ledger.Count} transfers explain {read.InWords()} was not found in {_options.WorkMax} steps");
        else if (_findings.IsCut)
            _findings.Undecide($"the history is cut, and a transfer that was under way may explain {read.InWords()}");
        else
            _findings.Add(AnomalyKinds.UnexplainedBalances, () => Unexplained(read, balances, certain, ledger.Count));
    }

    private string Unexplained(Operation read, long[] balances, long[] certain, int candidates)
    {
        var wrong = _accounts.Where(account => balances[account.Value] != certain[account.Value])
            .Select(account => $"{account.Key} has {balances[account.Value]} instead of {certain[account.Value]}");
        return $"the transfers that were over before {read.InWords()} do not add up to it: {string.Join(", ", wrong)}; and no subset of the {candidates} that were under way or of unknown outcome explains that";
    }

    private Movement MovementOf(Operation transfer)
    {
        var entries = transfer.In.Entries;
        return _accounts.TryGetValue(entries["from"].Text, out var from) && _accounts.TryGetValue(entries["to"].Text, out var to)
            ? new Movement(from, to, entries["amount"].Number)
            : throw new UnusableHistoryException($"the header does not name both accounts of {transfer.InWords()}");
    }

    private static void Apply(long[] balances, Movement movement)
    {
        balances[movement.From] -= movement.Amount;
        balances[movement.To] += movement.Amount;
    }
}
