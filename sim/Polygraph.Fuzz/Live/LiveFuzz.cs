using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Fuzz.Live;

/// <summary>
/// Three nodes as processes, of which the third ends once the cluster is formed: the fuzzer takes its place. Attacks go to both ports of the
/// first; in between it must serve, and in the end it must hold no more than it did.
/// </summary>
internal sealed class LiveFuzz : IDisposable
{
    private const int HealthEach = 250;

    /// <summary>What a node may hold more than after the first attacks: connections that are being closed, threads of the pool.</summary>
    private const int HandlesMore = 20;
    private const int ThreadsMore = 20;

    /// <summary>A garbage collector keeps what it has; a leak of a kilobyte an attack would be more than this after some ten thousand.</summary>
    private const long MemoryMoreBytes = 96L << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly string _root = Directory.CreateTempSubdirectory("polygraph-fuzz-").FullName;
    private readonly List<LiveNode> _nodes = [];
    private readonly HttpClient _http = new() { Timeout = Patience };
    private readonly TextWriter _output;
    private readonly SortedDictionary<string, (int Inputs, TimeSpan Worst)> _tallies = new(StringComparer.Ordinal);
    private PeerAttack _member = null!;
    private int _written;

    private LiveFuzz(TextWriter output) => _output = output;

    private LiveNode Target => _nodes[0];

    /// <returns>The exit code: 0 if the node stood it, 1 if not.</returns>
    public static int Run(long inputs, ulong seed, TextWriter output)
    {
        using var fuzz = new LiveFuzz(output);
        return fuzz.Run(inputs, seed);
    }

    public void Dispose()
    {
        _http.Dispose();
        _nodes.ForEach(node => node.Dispose());
        Directory.Delete(_root, recursive: true);
    }

    private int Run(long inputs, ulong seed)
    {
        Start();
        var before = default(Holdings);
        var failures = 0;
        var started = Stopwatch.GetTimestamp();
        var warm = Math.Min(inputs / 4, 2000);
        for (long number = 0; number < inputs && failures == 0; number++)
        {
            if (number % HealthEach == 0)
                CheckHealth();
            if (number == warm)
                before = Settled(default);
            var dice = new Dice((seed * 1_000_003) + (ulong)number);
            if (Attack(dice) is not { } complaint)
                continue;
            failures++;
            _output.WriteLine($"FAILED: live, seed {seed}, input {number}: {complaint}");
            _output.WriteLine($"  again: dotnet run --project sim/Polygraph.Fuzz -c Release -- --live {number + 1} --seed {seed}");
        }

        CheckHealth();
        var after = Settled(before);
        foreach (var (name, (count, worst)) in _tallies)
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-16} {count,8} attacks, the longest took {worst.TotalMilliseconds:F0} ms"));
        _output.WriteLine($"before {before}; after {after}; {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");
        failures += Judge(before, after);
        _output.WriteLine($"{_tallies.Values.Sum(tally => tally.Inputs)} inputs, {failures} failures");
        return failures == 0 ? 0 : 1;
    }

    private int Judge(Holdings before, Holdings after)
    {
        string[] complaints =
        [
            .. Target.Complaints.Take(3).Select(line => "the node logged: " + line),
            .. after.Handles > before.Handles + HandlesMore ? ["handles grew"] : (string[])[],
            .. after.Threads > before.Threads + ThreadsMore ? ["threads grew"] : (string[])[],
            .. after.MemoryBytes > before.MemoryBytes + MemoryMoreBytes ? ["memory grew"] : (string[])[],
        ];
        foreach (var complaint in complaints)
            _output.WriteLine("FAILED: " + complaint);
        return complaints.Length;
    }

    private string? Attack(Dice dice)
    {
        var kind = dice.Pick("http", "http", "peer-stranger", "peer-member");
        var manner = dice.Pick(Manner.Whole, Manner.Whole, Manner.Pieces, Manner.Cut, Manner.Reset);
        byte[] bytes = [];
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var connection = new Connection(kind == "http" ? Target.HttpPort : Target.PeerPort);
            if (kind == "peer-member" && !_member.Introduce(connection))
                return null;
            bytes = kind == "http" ? HttpAttack.Draw(dice) : kind == "peer-stranger" ? PeerAttack.DrawStranger(dice) : PeerAttack.DrawMember(dice);
            var answer = connection.Attack(dice, bytes, manner);
            var (inputs, worst) = _tallies.GetValueOrDefault(kind);
            var took = Stopwatch.GetElapsedTime(started);
            _tallies[kind] = (inputs + 1, took > worst ? took : worst);
            return kind == "http" && HttpAttack.Complaint(answer) is { } complaint ? Describe(complaint) : null;
        }
        catch (TimeoutException silent)
        {
            return Describe(silent.Message);
        }

        string Describe(string complaint) => $"{kind}, {manner}: {complaint}\n  input ({bytes.Length} bytes): {Convert.ToHexStringLower(bytes.AsSpan(0, Math.Min(bytes.Length, 4096)))}";
    }

    private void Start()
    {
        var ports = new Dictionary<string, (int Http, int Peer)> { ["n1"] = (FreePort(), FreePort()), ["n2"] = (FreePort(), FreePort()), ["n3"] = (FreePort(), FreePort()) };
        foreach (var name in ports.Keys)
            _nodes.Add(new LiveNode(_root, name, ports));
        Await("the cluster takes a write", () => Sql("CREATE TABLE IF NOT EXISTS fuzzed (id INTEGER PRIMARY KEY)") is not null);
        var third = _nodes[2];
        var identity = Path.Combine(third.Directory, "node.json");
        Await("n3 is a member", () => File.Exists(identity) && File.ReadAllText(identity).Contains("\"members\": [", StringComparison.Ordinal));
        third.Stop();
        using var json = JsonDocument.Parse(File.ReadAllBytes(identity));
        var hex = NumberStyles.HexNumber;
        _member = new PeerAttack(new Hello(
            1, 1, new ClusterId(UInt128.Parse(json.RootElement.GetProperty("cluster").GetString()!, hex, CultureInfo.InvariantCulture)), new("n3"),
            new(ulong.Parse(json.RootElement.GetProperty("incarnation").GetString()!, hex, CultureInfo.InvariantCulture)), [new("n1"), new("n2"), new("n3")],
            $"http://127.0.0.1:{third.HttpPort}", "", "0.1.0", 1));
    }

    /// <summary>The node takes a write and shows all of them.</summary>
    private void CheckHealth()
    {
        if (Target.HasExited)
            throw new InvalidOperationException("The node has ended.");
        Await("the node takes a write", () => Sql("INSERT INTO fuzzed DEFAULT VALUES") is not null);
        _written++;
        using var counted = JsonDocument.Parse(Sql("SELECT count(*) FROM fuzzed") ?? throw new InvalidOperationException("The node does not answer a read."));
        var rows = counted.RootElement.GetProperty("results")[0].GetProperty("rows")[0][0].GetInt32();
        if (rows < _written)
            throw new InvalidOperationException($"The node shows {rows} rows of {_written}.");
    }

    private string? Sql(string sql)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{Target.HttpPort}/v1/db/main/sql")
        {
            Content = new StringContent(JsonSerializer.Serialize(new Dictionary<string, string> { ["sql"] = sql }), Encoding.UTF8, "application/json"),
        };
        try
        {
            using var response = _http.Send(request);
            using var body = new StreamReader(response.Content.ReadAsStream());
            return response.IsSuccessStatusCode ? body.ReadToEnd() : null;
        }
        catch (HttpRequestException)
        {
            return null; // Not yet listening; whoever waits says so in the end.
        }
    }

    /// <summary>What the node holds once it has closed what it was closing, or when waiting for that is over.</summary>
    private Holdings Settled(Holdings atMost)
    {
        var started = Stopwatch.GetTimestamp();
        var holdings = Target.Holdings;
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10) && holdings.Handles > atMost.Handles)
        {
            Thread.Sleep(Pause); // Another process closes its sockets: there is no event to wait for.
            holdings = Target.Holdings;
        }

        return holdings;
    }

    private static void Await(string what, Func<bool> condition)
    {
        for (var started = Stopwatch.GetTimestamp(); !condition(); Thread.Sleep(Pause))
            if (Stopwatch.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"Waited {Patience.TotalSeconds} s, and still not: {what}.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
