using System.Globalization;
using System.Text;

namespace Polygraph.Node.Http;

/// <summary>A part of the node that has something to measure. Called at each scrape, from a request thread; it must not wait.</summary>
public interface IMetricsSource
{
    void WriteTo(MetricsText text);
}

/// <summary>Metrics in Prometheus' text format, version 0.0.4: a family is begun once and followed by all its samples.</summary>
public sealed class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();
    private string _family = "";

    /// <summary>Begins a family of values that go up and down.</summary>
    public MetricsText Gauge(string name, string help) => Begin(name, help, "gauge");

    /// <summary>Begins a family of counts since the process started.</summary>
    public MetricsText Counter(string name, string help) => Begin(name, help, "counter");

    /// <summary>Begins a family of distributions.</summary>
    public MetricsText Histogram(string name, string help) => Begin(name, help, "histogram");

    /// <summary>A value of the family that was begun last.</summary>
    public MetricsText Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Sample("", value, labels);

    /// <summary>A value of the family that was begun last, under its name and a suffix such as <c>_sum</c>.</summary>
    public MetricsText Sample(string suffix, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(_family).Append(suffix);
        for (var i = 0; i < labels.Length; i++)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            AppendEscaped(labels[i].Value);
            _text.Append('"');
        }

        _text.Append(labels.Length > 0 ? "} " : " ").Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        return this;
    }

    public override string ToString() => _text.ToString();

    private MetricsText Begin(string name, string help, string type)
    {
        _family = name;
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        return this;
    }

    private void AppendEscaped(string value)
    {
        foreach (var character in value)
            _ = character switch
            {
                '\\' => _text.Append(@"\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append(@"\n"),
                _ => _text.Append(character),
            };
    }
}
