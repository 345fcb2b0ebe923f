using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Checking;

/// <summary>What a history says of one set or log, whose elements are put there one by one and read as a whole. Judged by its kind.</summary>
internal abstract class ElementsOfKey
{
    /// <param name="operations">Those of the key.</param>
    /// <param name="adding">How elements are put there.</param>
    /// <param name="header">Of the history.</param>
    /// <param name="findings">Where what is wrong goes.</param>
    protected ElementsOfKey(Operation[] operations, OperationKind adding, HistoryHeader header, Findings findings)
    {
        (Header, Findings) = (header, findings);
        Elements = new Elements(operations);
        Reads =
        [
            .. operations.Where(operation => operation is { Kind: OperationKind.Read, Type: OperationType.Ok })
                .OrderBy(read => read.StartNanoseconds)
                .Select(read => (read, Elements.NumbersOf(read))),
        ];
        Acknowledged = [.. operations.Where(operation => operation.Kind == adding && operation.Type == OperationType.Ok).OrderBy(added => added.EndNanoseconds)];
    }

    public int ReadCount => Reads.Length;

    public int FinalReadCount => Reads.Count(read => read.Read.IsFinal);

    public int ElementCount => Elements.Count;

    protected HistoryHeader Header { get; }

    protected Findings Findings { get; }

    protected Elements Elements { get; }

    /// <summary>In the order in which they began, each with its elements by number.</summary>
    protected (Operation Read, int[] Numbers)[] Reads { get; }

    /// <summary>What was put there for certain, in the order in which that was known.</summary>
    protected Operation[] Acknowledged { get; }

    /// <summary>Acknowledged elements that are gone, at an ack level that allows it.</summary>
    protected int LostAllowed { get; set; }

    /// <summary>Judges every key of a history.</summary>
    /// <param name="history">The history.</param>
    /// <param name="findings">Where what is wrong goes.</param>
    /// <param name="create">Makes what judges one key.</param>
    /// <param name="note">Counts all keys, for people.</param>
    public static void CheckAll(History history, Findings findings, Func<Operation[], ElementsOfKey> create, Func<IReadOnlyList<ElementsOfKey>, string> note)
    {
        var keys = history.Operations.GroupBy(operation => operation.Key ?? "", StringComparer.Ordinal).Select(key => create([.. key])).ToArray();
        foreach (var key in keys)
            key.Check();
        findings.Note($"{keys.Length:n0} {(keys.Length == 1 ? "key" : "keys")}, {note(keys)}");
        if (keys.Sum(key => key.LostAllowed) is > 0 and var lost)
            findings.Note($"{lost:n0} lost as the ack level allows");
        if (keys.Length > 0 && keys.All(key => key.FinalReadCount == 0))
            findings.Refuse("without a final read nothing is known of what was lost");
    }

    protected abstract void Check();

    /// <summary>
    /// Whether a read must show what was acknowledged before it began. What may be lost need not be committed yet, and a read shows what is; in the end all that stays is.
    /// </summary>
    protected bool IsAckDueIn(Operation read) => Header.AreAcksDurable || read.IsFinal;

    /// <summary>Adds what is wrong with the mere presence of elements in each read, and looks at each further.</summary>
    protected void CheckPresence(Action<Operation, int[]> also)
    {
        var marks = new int[Elements.Count];
        for (var i = 0; i < Reads.Length; i++)
        {
            Elements.CheckPresence(Reads[i].Read, Reads[i].Numbers, marks, i + 1, Findings);
            also(Reads[i].Read, Reads[i].Numbers);
        }
    }
}
