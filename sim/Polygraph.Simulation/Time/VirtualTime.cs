namespace Polygraph.Simulation.Time;

/// <summary>
/// The time of the simulated world, in microseconds, and everything that will happen in it, in order of (time, sequence): what was scheduled
/// first happens first. Nothing ever waits for real time.
/// </summary>
public sealed class VirtualTime
{
    // A heap whose nodes have four children: half as deep as with two, and the four lie side by side. Every simulated step goes through it.
    private const int Children = 4;

    // Most of what is scheduled is far away and of no consequence once it happens: the end of somebody's patience. It is parked by the slot of
    // time that it falls into, 1,024 µs long, in no order, and enters the heap when its slot begins; so the heap holds what happens next only.
    // The 2,048 slots go round: what is further away than 2.1 s stays in its slot for as many rounds.
    private const int SlotBits = 10;
    private const int Slots = 2048;
    private const int None = -1;

    // What happens up to the end of the slot that has begun.
    private Due[] _heap = new Due[64];
    private int _count;

    // What is parked: one list a slot, and one of the places that are free.
    private readonly int[] _firstOfSlot = NewSlots();
    private Parked[] _parked = new Parked[64];
    private int _parkedMax;
    private int _free = None;
    private long _slot;

    private long _sequence;

    /// <summary>Microseconds since the world began.</summary>
    public long Now { get; private set; }

    /// <summary>How many things have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>After so many nothing happens any more, so that a world that turns on the spot comes to an end.</summary>
    public long HappenedMax { get; init; } = long.MaxValue;

    /// <summary>Lets <paramref name="action"/> happen <paramref name="delay"/> microseconds from now.</summary>
    public void After(long delay, Action action) => After(delay, Happening.Of(action));

    /// <inheritdoc cref="After(long, Action)"/>
    public void After(long delay, Happening happening)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delay);
        var due = new Due(Now + delay, _sequence++, happening);
        if (due.At >> SlotBits <= _slot)
            Push(due);
        else
            Park(due);
    }

    /// <summary>Lets everything happen that is due until <paramref name="end"/>, then sets the time to it.</summary>
    public void RunUntil(long end)
    {
        while (IsAnythingDue(end))
            HappenNext();
        Now = Math.Max(Now, end);
    }

    /// <summary>As <see cref="RunUntil(long)"/>, but stops as soon as <paramref name="reached"/>; says whether it was.</summary>
    public bool RunUntil(long end, Func<bool> reached)
    {
        while (IsAnythingDue(end))
        {
            if (reached())
                return true;
            HappenNext();
        }

        Now = Math.Max(Now, end);
        return reached();
    }

    private static int[] NewSlots()
    {
        var slots = new int[Slots];
        Array.Fill(slots, None);
        return slots;
    }

    private bool IsAnythingDue(long end)
    {
        while (_count == 0 && _slot < end >> SlotBits)
            BeginNextSlot();
        return _count > 0 && _heap[0].At <= end && Happened < HappenedMax;
    }

    private void HappenNext()
    {
        var next = _heap[0];
        var last = _heap[--_count];
        _heap[_count] = default;
        if (_count > 0)
            Sink(last);
        Now = next.At;
        Happened++;
        next.What.Happen();
    }

    private void Park(Due due)
    {
        var place = _free;
        if (place == None)
        {
            if (_parkedMax == _parked.Length)
                Array.Resize(ref _parked, 2 * _parkedMax);
            place = _parkedMax++;
        }
        else
        {
            _free = _parked[place].Next;
        }

        ref var first = ref _firstOfSlot[SlotOf(due.At >> SlotBits)];
        _parked[place] = new Parked(due, first);
        first = place;
    }

    private void BeginNextSlot()
    {
        _slot++;
        ref var first = ref _firstOfSlot[SlotOf(_slot)];
        var place = first;
        first = None;
        while (place != None)
        {
            var (due, next) = _parked[place];
            if (due.At >> SlotBits == _slot)
            {
                Push(due);
                _parked[place] = new Parked(default, _free);
                _free = place;
            }
            else
            {
                _parked[place] = new Parked(due, first);
                first = place;
            }

            place = next;
        }
    }

    private static int SlotOf(long slot) => (int)(slot % Slots);

    private void Push(Due due)
    {
        if (_count == _heap.Length)
            Array.Resize(ref _heap, 2 * _count);
        Rise(_count++, due);
    }

    private void Rise(int place, Due due)
    {
        while (place > 0)
        {
            var parent = (place - 1) / Children;
            if (_heap[parent].IsBefore(due))
                break;
            _heap[place] = _heap[parent];
            place = parent;
        }

        _heap[place] = due;
    }

    /// <summary>Puts <paramref name="due"/> where the first one was taken away.</summary>
    private void Sink(Due due)
    {
        var place = 0;
        while (true)
        {
            var first = (place * Children) + 1;
            if (first >= _count)
                break;
            var least = first;
            for (var child = first + 1; child < Math.Min(first + Children, _count); child++)
                if (_heap[child].IsBefore(_heap[least]))
                    least = child;
            if (due.IsBefore(_heap[least]))
                break;
            _heap[place] = _heap[least];
            place = least;
        }

        _heap[place] = due;
    }

    private readonly record struct Parked(Due Due, int Next);

    private readonly struct Due(long at, long sequence, Happening what)
    {
        public readonly long At = at;
        public readonly Happening What = what;
        private readonly long _sequence = sequence;

        public bool IsBefore(in Due other) => At != other.At ? At < other.At : _sequence < other._sequence;
    }
}
