using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// What a stream keeps from one pipeline to the next: the texts that its client stored, and a transaction. Owned by the request that holds its baton.
/// </summary>
internal sealed class HranaStream(ulong id, string database, ISqlStream sql)
{
    /// <summary>The most texts of one stream: the clients' own cache holds 30.</summary>
    public const int TextsMax = 50;

    /// <summary>The most bytes of one text: the clients store only those below 5000 characters, of up to four bytes.</summary>
    public const int TextBytesMax = 20_000;

    private readonly Dictionary<int, string> _texts = [];

    public ulong Id { get; } = id;

    public string Database { get; } = database;

    /// <summary>Where its units run, and what transaction is open.</summary>
    public ISqlStream Sql { get; } = sql;

    /// <summary>What the stored texts take, in bytes of UTF-8.</summary>
    public long TextBytes { get; private set; }

    /// <summary>The stored text, null if there is none of that number.</summary>
    public string? Find(int textId) => _texts.GetValueOrDefault(textId);

    /// <summary>Stores a text; the error says which limit it passes.</summary>
    public SqlError? Store(int textId, string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (_texts.ContainsKey(textId))
            return new SqlError("SQL_STORE_EXISTS", $"sql_id {textId} holds a text already: close it first.");
        if (_texts.Count == TextsMax)
            return new SqlError("SQL_STORE_TOO_MANY", $"A stream stores at most {TextsMax} texts: close some.");
        if (bytes > TextBytesMax)
            return new SqlError("SQL_STORE_TOO_LARGE", $"A stored text has at most {TextBytesMax} bytes: send it with each statement.");

        _texts.Add(textId, text);
        TextBytes += bytes;
        return null;
    }

    /// <summary>Forgets a text; one that is not there was forgotten already.</summary>
    public void Forget(int textId)
    {
        if (_texts.Remove(textId, out var text))
            TextBytes -= Encoding.UTF8.GetByteCount(text);
    }
}
