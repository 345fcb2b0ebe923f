using Polygraph.Cli.Shell;

namespace Polygraph.Cli.Tests.Shell;

public sealed class StatementSplitterTests
{
    public static TheoryData<string, string[], string> Texts => new()
    {
        { "", [], "" },
        { "  -- nothing\n /* at all */ ", [], "" },
        { "select 1", [], "select 1" },
        { "select 1;", ["select 1;"], "" },
        { "select 1; select 2;", ["select 1;", "select 2;"], "" },
        { "select 1; select", ["select 1;"], "select" },
        { ";;select 1;;", ["select 1;"], "" },
        { "select ';' ; select \";\" ; select `;` ; select [;];", ["select ';' ;", "select \";\" ;", "select `;` ;", "select [;];"], "" },
        { "select 'it''s; fine';", ["select 'it''s; fine';"], "" },
        { "select 'open;", [], "select 'open;" },
        { "select 1 -- ; not here\n;", ["select 1 -- ; not here\n;"], "" },
        { "select /* ; */ 1;", ["select /* ; */ 1;"], "" },
        { "select /* open ;", [], "select /* open ;" },
        {
            "create trigger t after insert on a begin update b set c = case when 1 then 2 end; delete from d; end; select 1;",
            ["create trigger t after insert on a begin update b set c = case when 1 then 2 end; delete from d; end;", "select 1;"],
            ""
        },
        { "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;", [], "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;" },
        { "explain create trigger t after insert on a begin select 1; end;", ["explain create trigger t after insert on a begin select 1; end;"], "" },
        { "create table trigger_log(a); select 1;", ["create table trigger_log(a);", "select 1;"], "" },
        { "select \"create trigger\"; select 1;", ["select \"create trigger\";", "select 1;"], "" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Cuts_where_SQLites_own_shell_does(string text, string[] complete, string rest)
    {
        var split = StatementSplitter.Split(text);

        Assert.Equal(complete, split.Complete);
        Assert.Equal(rest, split.Rest);
    }

    [Fact]
    public void A_last_statement_needs_no_semicolon()
        => Assert.Equal(["select 1;", "select 2"], StatementSplitter.Split("select 1; select 2").All);
}
