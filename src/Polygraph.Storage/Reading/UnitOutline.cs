using Polygraph.Storage.Capture;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage
{
    /// <summary>Where a unit must run.</summary>
    public enum UnitClass : byte
    {
        /// <summary>Nothing in it can write (or it does not compile: the reader's error is the answer).</summary>
        ReadOnly = 0,

        /// <summary>Something in it can write.</summary>
        Write = 1,
    }

    /// <summary>What can be told of a unit before it runs, if every statement of it runs and succeeds.</summary>
    /// <param name="Class">Whether it can write.</param>
    /// <param name="LeavesOpen">Whether a transaction is open at its end.</param>
    /// <param name="WantsWriter">Whether that transaction takes the writer although nothing was written yet: <c>BEGIN IMMEDIATE</c>.</param>
    /// <param name="StepsBeforeWriting">How many of its steps come before the first that can write or wants the writer.</param>
    public readonly record struct UnitOutline(UnitClass Class, bool LeavesOpen, bool WantsWriter, int StepsBeforeWriting);
}

namespace Polygraph.Storage.Reading
{
    /// <summary>Compiles a unit against this replica's schema and looks at it. Runs nothing.</summary>
    internal sealed class UnitOutliner(StatementCompiler compiler)
    {
        private static readonly string[] TransactionWords = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];

        /// <param name="unit">What is to run.</param>
        /// <param name="open">The transaction in which it begins; left as the unit leaves it.</param>
        internal UnitOutline Outline(SqlUnit unit, SnapshotTransaction open)
        {
            var found = new Found(open);
            for (var i = 0; i < unit.Steps.Count; i++)
            {
                Look(unit.Steps[i], found);
                if (!found.Writes && !found.WantsWriter)
                    found.StepsBefore = i + 1;
            }

            return new UnitOutline(found.Writes ? UnitClass.Write : UnitClass.ReadOnly, open.IsOpen, found.WantsWriter, found.StepsBefore);
        }

        private void Look(SqlStep step, Found found)
        {
            switch (step)
            {
                case SqlStep.Execute execute:
                    Look(execute.Statement.Text, found);
                    break;
                case SqlStep.Sequence sequence:
                    Look(sequence.Text, found);
                    break;
                case SqlStep.Batch batch:
                    foreach (var item in batch.Items)
                        Look(item.Statement.Text, found);
                    break;
                default:
                    break;
            }
        }

        private void Look(string text, Found found)
        {
            // Once it is known that the unit writes, only what opens and closes transactions is of interest, and only it is compiled.
            if (found.Writes && !TransactionWords.Contains(SqlTokens.FirstWord(text)))
                return;
            var bytes = Utf8.Terminated(text);
            for (var offset = 0; !StatementCompiler.IsBlank(bytes, offset);)
            {
                try
                {
                    if (offset == 0 && compiler.TryCompile(text, SchemaCatalog.Empty) is { } whole)
                    {
                        found.Note(whole);
                        return;
                    }

                    using var compiled = compiler.CompileFirst(bytes, offset, SchemaCatalog.Empty, out offset);
                    if (compiled is not null)
                        found.Note(compiled);
                }
                catch (Exception exception) when (exception is SqliteException or RefusedException)
                {
                    // This replica's schema may be behind: whoever wants to write learns from the leader what is wrong.
                    var rest = System.Text.Encoding.UTF8.GetString(bytes, offset, bytes.Length - offset - 1);
                    if (UnitWords.Writes(rest))
                        found.NoteWrite();
                    return;
                }
            }
        }

        private sealed class Found(SnapshotTransaction open)
        {
            internal bool Writes { get; private set; }

            internal bool WantsWriter { get; private set; }

            internal int StepsBefore { get; set; }

            /// <summary>In a transaction that was begun READONLY it will be refused, and any connection can do that.</summary>
            internal void NoteWrite() => Writes |= !(open.IsOpen && open.Kind == TransactionKind.ReadOnly);

            internal void Note(CompiledStatement compiled)
            {
                if (compiled.Facts.Transaction == TransactionStep.None)
                {
                    if (!compiled.IsReadOnly || compiled.Facts.ChangesSchema)
                        NoteWrite();
                    return;
                }

                try
                {
                    open.Run(compiled.Facts);
                }
                catch (SqliteException)
                {
                    // It will fail where it runs, and change nothing about what is open.
                }

                WantsWriter = open is { IsOpen: true, Kind: TransactionKind.Immediate };
            }
        }
    }
}
