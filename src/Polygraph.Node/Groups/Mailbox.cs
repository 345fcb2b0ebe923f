namespace Polygraph.Node.Groups;

/// <summary>
/// A queue with many writers and one reader that takes everything at once. The reader is a dedicated thread, so waiting is a plain monitor
/// and never needs the thread pool.
/// </summary>
internal sealed class Mailbox<T>(int capacity)
{
    private readonly object _gate = new();
    private List<T> _items = [];
    private bool _closed;
    private bool _woken;

    /// <summary>Adds an item unless the box is full or closed; then false, and the caller says so to whoever waits.</summary>
    public bool TryPost(T item) => Add(item, capacity);

    /// <summary>
    /// Adds an answer to something that the reader itself asked for: bounded by what it asked, so never refused but by a closed box.
    /// </summary>
    public bool Post(T item) => Add(item, int.MaxValue);

    /// <summary>Lets the reader look around although nothing came.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Nothing more comes in; the reader takes what is there and then sees the end.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// Takes all items, waiting up to <paramref name="patience"/> for the first. <paramref name="taken"/> must be empty and becomes the next
    /// buffer. False when the box is closed and empty.
    /// </summary>
    public bool Take(ref List<T> taken, TimeSpan patience)
    {
        lock (_gate)
        {
            if (_items.Count == 0 && !_closed && !_woken && patience != TimeSpan.Zero)
                Monitor.Wait(_gate, patience);
            _woken = false;
            if (_items.Count == 0)
                return !_closed;
            (_items, taken) = (taken, _items);
            return true;
        }
    }

    private bool Add(T item, int limit)
    {
        lock (_gate)
        {
            if (_closed || _items.Count >= limit)
                return false;
            _items.Add(item);
            if (_items.Count == 1)
                Monitor.Pulse(_gate);
            return true;
        }
    }
}
