using System.Text.RegularExpressions;

namespace Polygraph.Tidy.Tests.Reading;

/// <summary>A method, property or field of a type, as far as it can be told without a compiler.</summary>
internal readonly record struct Member(string Name, int Line, int Lines);

/// <summary>
/// Finds the members of a file's types by its braces: what stands in a type's body, up to a semicolon or closing brace of that body, is one
/// member.
/// </summary>
internal static partial class Members
{
    private enum Block
    {
        Outside,
        Type,
        Inside,
    }

    public static IEnumerable<Member> Of(SourceFile file)
    {
        var code = file.Code;
        var blocks = new Stack<Block>();
        var parentheses = 0;
        var began = 0;
        for (var i = 0; i < code.Length; i++)
        {
            var block = blocks.Count == 0 ? Block.Outside : blocks.Peek();
            switch (code[i])
            {
                case '(' or '[':
                    parentheses++;
                    break;
                case ')' or ']':
                    parentheses--;
                    break;
                case '{':
                    var opens = KindOf(block, code.AsSpan(began, i - began));
                    blocks.Push(opens);
                    if (opens != Block.Inside)
                        began = i + 1;
                    break;
                case '}':
                    var closed = blocks.Pop();
                    var around = blocks.Count == 0 ? Block.Outside : blocks.Peek();
                    if (around == Block.Inside || parentheses > 0 || IsInitialized(code, i + 1))
                        break;
                    if (closed == Block.Inside && around == Block.Type)
                        yield return Describe(file, began, i);
                    began = i + 1;
                    break;
                case ';' when block != Block.Inside && parentheses == 0:
                    if (block == Block.Type)
                        yield return Describe(file, began, i);
                    began = i + 1;
                    break;
            }
        }
    }

    private static Block KindOf(Block around, ReadOnlySpan<char> header)
        => around == Block.Inside ? Block.Inside
            : TypeHeader().IsMatch(header) ? Block.Type
            : around == Block.Type ? Block.Inside
            : Block.Outside;

    // A property with a first value goes on after its accessors.
    private static bool IsInitialized(string code, int from)
        => code.AsSpan(from).TrimStart() is ['=', ..];

    private static Member Describe(SourceFile file, int began, int end)
    {
        while (began < end && char.IsWhiteSpace(file.Code[began]))
            began++;
        var first = file.LineAt(began);
        var name = NameBefore().Match(file.Code[began..end]);
        return new Member(name.Success ? name.Groups[1].Value : "?", first, file.LineAt(end) - first + 1);
    }

    // "class", "record" and the like as the word before a name; a constraint ("where T : class") ends its header instead.
    [GeneratedRegex(@"(?<!:\s*|,\s*)\b(class|struct|interface|enum|record)\s+[A-Za-z_]")]
    private static partial Regex TypeHeader();

    // The name of a method stands before its parameters or type parameters, that of a property or field before what it is made of.
    [GeneratedRegex(@"(\w+)\s*(?:<[^=;(){}]*>)?\s*(?:\(|\{|=|$)")]
    private static partial Regex NameBefore();
}
