/** The one table of every page: rows by columns, scrolled by itself where it is wider than its place. */
import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly head?: ReactNode;
  /** Class names of its cells: `n` for figures (its head too), `nowrap`, `mono`, `cut`, … */
  readonly kind?: string;
  readonly cell: (row: Row, index: number) => ReactNode;
  /** What is said on hover. */
  readonly title?: (row: Row) => string | undefined;
  readonly sorted?: 'ascending' | 'descending' | undefined;
}

/** A column in few words: head, cell, class names. */
type Make<Row> = (
  head: ReactNode,
  cell: Column<Row>['cell'],
  kind?: string,
  more?: Pick<Column<Row>, 'title' | 'sorted'>,
) => Column<Row>;
type Columns<Row> = ReadonlyArray<Column<Row>>;

interface Props<Row> {
  readonly rows: readonly Row[] | undefined;
  readonly columns: Columns<NoInfer<Row>> | ((column: Make<NoInfer<Row>>) => Columns<NoInfer<Row>>);
  readonly keyOf: (row: NoInfer<Row>, index: number) => string | number;
  readonly className?: string;
  /** Name of the region for who cannot see it. */
  readonly label?: string;
  readonly isCurrent?: (row: NoInfer<Row>) => boolean;
}

export function Table<Row>({ rows = [], columns: given, keyOf, className, label, isCurrent }: Props<Row>) {
  const columns: Columns<Row> =
    typeof given === 'function'
      ? given((head, cell, kind, more) => ({ head, cell, ...(kind !== undefined && { kind }), ...more }))
      : given;
  return (
    <div
      className="scroll"
      tabIndex={0}
      {...(label !== undefined && { role: 'region', 'aria-label': label })}
    >
      <table className={className}>
        {columns.some(({ head }) => head !== undefined) && (
          <thead>
            <tr>
              {columns.map(({ head, kind, sorted }, at) => (
                <th key={at} className={isFigure(kind) ? 'n' : undefined} aria-sort={sorted}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, index) => (
            <tr key={keyOf(row, index)} aria-current={isCurrent?.(row) ? 'true' : undefined}>
              {columns.map(({ kind, cell, title }, at) => (
                <td key={at} className={kind} title={title?.(row)}>
                  {cell(row, index)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const isFigure = (kind: string | undefined): boolean => kind?.split(' ').includes('n') ?? false;
