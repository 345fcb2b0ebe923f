namespace Polygraph.Cli.Demos.Day;

/// <summary>What one client of the shop wants over a day, from a seed. Owned by that client.</summary>
public sealed class DayTraffic(int seed, int client)
{
    public const int Genres = 8;
    public const int Customers = 60;
    public const int FirstTracks = 240;

    private const int MorningEnds = 9;
    private const int NightBegins = 2;
    private const int NightEnds = 6;

    private readonly Random _random = new((seed * 1009) + client);
    private int _number;

    /// <summary>The shop before the day: reference data, and enough to sell.</summary>
    public static IReadOnlyList<string> Opening { get; } =
    [
        Numbers(Genres, "INSERT INTO genre(id, name) SELECT n, 'genre ' || n FROM numbers"),
        "INSERT INTO media_type(id, name) VALUES (1, 'file'), (2, 'vinyl'), (3, 'tape')",
        "INSERT INTO employee(id, name, title, reports_to) VALUES (3, 'Ben', 'Support', 2), (4, 'Cem', 'Support', 2), (2, 'Ada', 'Head', 1), (1, 'Zoe', 'Owner', NULL)",
        Numbers(Customers, "INSERT INTO customer(id, name, email, support, country) SELECT n, 'customer ' || n, 'c' || n || '@example.org', 3 + n % 2, 'country ' || n % 7 FROM numbers"),
        Numbers(20, "INSERT INTO artist(id, name) SELECT n, 'artist ' || n FROM numbers"),
        Numbers(40, "INSERT INTO album(id, title, artist) SELECT n, 'album ' || n, 1 + n % 20 FROM numbers"),
        Numbers(FirstTracks, "INSERT INTO track(name, album, media_type, genre, composer, milliseconds, cents) "
            + "SELECT 'take ' || n, 1 + n % 40, 1 + n % 3, 1 + n % 8, 'composer ' || n % 11, 60000 + n * 977, 49 + n % 90 FROM numbers"),
        Numbers(Customers, "INSERT INTO playlist(id, name, owner) SELECT n, 'first', n FROM numbers"),
    ];

    /// <summary>The next thing that this client does at an hour of the day.</summary>
    public DayRequest Next(int hourOfDay)
    {
        var dice = _random.Next(100);
        return hourOfDay switch
        {
            >= NightEnds and < MorningEnds when dice < 55 => Import(),
            >= NightBegins and < NightEnds when dice < 30 => Report(),
            >= NightBegins and < NightEnds when dice < 60 => Archive(),
            _ => AtDaytime(hourOfDay, _random.Next(100)),
        };
    }

    private DayRequest AtDaytime(int hour, int dice)
        => dice switch
        {
            < 34 => Purchase(hour),
            < 46 => CheckoutByView(hour),
            < 54 => Refund(),
            < 62 => PlaylistEdit(),
            < 68 => PriceChange(),
            < 71 => Rename(),
            < 74 => Registration(),
            < 77 => Deletion(),
            < 86 => Mistake(hour),
            _ => Look(),
        };

    // Upserts, subqueries that find what an earlier statement made, full text behind a trigger.
    private DayRequest Import()
    {
        var (artist, album) = ($"artist {_random.Next(1, 60)}", $"album {_random.Next(1, 12)}");
        var found = $"(SELECT album.id FROM album JOIN artist ON artist.id = album.artist WHERE artist.name = '{artist}' AND lower(title) = '{album}')";
        return Write(
            "import",
            $"INSERT INTO artist(name) VALUES ('{artist}') ON CONFLICT(name) DO UPDATE SET name = excluded.name RETURNING id",
            $"INSERT INTO album(title, artist) SELECT '{album}', id FROM artist WHERE name = '{artist}' ON CONFLICT DO NOTHING",
            Numbers(_random.Next(2, 9), "INSERT INTO track(name, album, media_type, genre, composer, milliseconds, cents) "
                + $"SELECT 'take ' || (n * {_random.Next(1, 999)}), {found}, 1 + n % 3, (SELECT id FROM genre WHERE id = {_random.Next(1, Genres + 1)}), 'composer ' || n, 1000 * n, 99 FROM numbers"));
    }

    private DayRequest Purchase(int hour)
    {
        var lines = _random.Next(1, 5);
        var tracks = string.Join(", ", Enumerable.Range(0, lines).Select(_ => Track()));
        return Write(
            "purchase",
            $"INSERT INTO invoice(customer, hour) VALUES ({Customer()}, {hour}) RETURNING id, placed_at",
            "INSERT INTO invoice_line(invoice, line, track, cents, quantity) "
            + $"SELECT (SELECT max(id) FROM invoice), row_number() OVER (ORDER BY id), id, cents, {_random.Next(1, 3)} FROM track WHERE id IN ({tracks})");
    }

    private DayRequest CheckoutByView(int hour)
        => Write("checkout", $"INSERT INTO checkout(customer, hour, track, quantity) VALUES ({Customer()}, {hour}, {Track()}, {_random.Next(1, 4)})");

    private DayRequest Refund()
        => Write("refund", $"UPDATE invoice SET state = 'refunded' WHERE id = (SELECT max(id) FROM invoice WHERE customer = {Customer()} AND state = 'paid') RETURNING id, total_cents");

    private DayRequest PlaylistEdit()
    {
        var playlist = $"(SELECT min(id) FROM playlist WHERE owner = {Customer()})";
        return _random.Next(3) == 0
            ? Write("playlist", $"DELETE FROM playlist_track WHERE playlist = {playlist} AND position < 0.5")
            : Write(
                "playlist",
                $"INSERT INTO playlist_track(playlist, track, position) SELECT playlist.id, track.id, abs(random() % 1000) / 1000.0 FROM playlist, track WHERE playlist.id = {playlist} "
                + $"AND track.id IN ({Track()}, {Track()}) ON CONFLICT(playlist, track) DO UPDATE SET position = excluded.position");
    }

    private DayRequest PriceChange()
        => _random.Next(2) == 0
            ? Write("price", $"UPDATE track SET cents = max(1, cents + {_random.Next(-20, 30)}) WHERE genre = {_random.Next(1, Genres + 1)} AND id % 7 = {_random.Next(7)}")
            : Write("price", $"UPDATE catalogue SET cents = max(1, cents - 3) WHERE id = {Track()}");

    private DayRequest Rename() => Write("rename", $"UPDATE OR IGNORE track SET name = 'take two ' || id, composer = NULL WHERE id IN ({Track()}, {Track()})");

    private DayRequest Registration()
    {
        var email = $"new{client}.{_number}@example.org";
        return Write(
            "registration",
            $"REPLACE INTO customer(id, name, email) VALUES ({10_000 + (client * 1_000) + _number}, 'new', '{email}')",
            $"INSERT INTO playlist(name, owner) SELECT 'mine', id FROM customer WHERE email = '{email}'");
    }

    private DayRequest Deletion()
        => _random.Next(4) switch
        {
            0 => Write("deletion", $"DELETE FROM artist WHERE id = {_random.Next(1, 40)}"),
            1 => Write("deletion", $"DELETE FROM genre WHERE id = {_random.Next(1, Genres * 4)}"),
            2 => Write("deletion", $"DELETE FROM customer WHERE id > 10000 AND id % 5 = {_random.Next(5)} AND id NOT IN (SELECT customer FROM invoice)"),
            _ => Write("deletion", $"DELETE FROM track WHERE id IN ({Track()}, {Track()}, {Track()})"),
        };

    // What must not happen: each has a first statement that would do something, and nothing of it may stay.
    private DayRequest Mistake(int hour)
    {
        var order = $"INSERT INTO invoice(customer, hour) VALUES ({Customer()}, {hour})";
        var wrong = _random.Next(6) switch
        {
            0 => "INSERT INTO invoice_line(invoice, line, track, cents, quantity) SELECT max(id), 1, (SELECT min(id) FROM track), 1, 100000 FROM invoice",
            1 => $"INSERT INTO invoice(customer, hour) VALUES (999999, {hour})",
            2 => "INSERT INTO customer(name, email) VALUES ('twice', 'C1@EXAMPLE.ORG')",
            3 => "UPDATE track SET cents = (cents + 1) * 4",
            4 => "DELETE FROM media_type WHERE id = (SELECT min(media_type) FROM track)",
            _ => "UPDATE invoice SET hour = 24",
        };
        return new DayRequest(Name(), "mistake", [order, wrong], DayEnd.Refused);
    }

    private DayRequest Look()
        => new(
            Name(),
            "look",
            [
                _random.Next(3) switch
                {
                    0 => "SELECT count(*) FROM track_text WHERE track_text MATCH 'take'",
                    1 => "SELECT artist, count(*), avg(cents) FROM catalogue GROUP BY artist ORDER BY 2 DESC LIMIT 5",
                    _ => $"SELECT sum(total_cents) FROM invoice WHERE customer = {Customer()} AND state = 'paid'",
                },
            ],
            DayEnd.Read);

    private DayRequest Report()
        => Write(
            "report",
            "INSERT INTO report(hour, genre, sold, cents) SELECT invoice.hour, coalesce(genre.name, 'none'), sum(quantity), sum(invoice_line.cents * quantity) "
            + "FROM invoice JOIN invoice_line ON invoice_line.invoice = invoice.id LEFT JOIN track ON track.id = invoice_line.track LEFT JOIN genre ON genre.id = track.genre "
            + "WHERE invoice.state = 'paid' GROUP BY 1, 2 ON CONFLICT(hour, genre) DO UPDATE SET sold = excluded.sold, cents = excluded.cents WHERE excluded.sold > report.sold");

    private DayRequest Archive()
        => Write(
            "archive",
            "DELETE FROM invoice WHERE id IN (SELECT id FROM invoice WHERE hour BETWEEN 6 AND 15 ORDER BY id LIMIT 25)",
            "DELETE FROM audit WHERE id < (SELECT max(id) FROM audit) - 200");

    private DayRequest Write(string kind, params string[] statements)
    {
        var name = Name();
        return new DayRequest(name, kind, [.. statements, $"INSERT INTO request(name, kind) VALUES ('{name}', '{kind}')"], DayEnd.DoneOrRefused);
    }

    private string Name() => $"c{client}-{++_number}";

    private int Customer() => _random.Next(1, Customers + 1);

    private int Track() => _random.Next(1, FirstTracks + 200);

    private static string Numbers(int count, string insert)
        => $"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) {insert}";
}
