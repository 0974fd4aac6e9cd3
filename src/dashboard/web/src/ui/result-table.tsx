/** Rows of a query. */
import type { ReactNode } from 'react';
import { Table } from './table';

interface Result {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>;
  readonly rows: ReadonlyArray<readonly unknown[]>;
}

const isNumber = (type: string): boolean => /INT|DOUBLE|FLOAT|DECIMAL/.test(type);

export function ResultTable({ result: { columns, rows } }: { readonly result: Result }) {
  return (
    <Table
      rows={rows}
      keyOf={(_, index) => index}
      label="rows"
      columns={(column) =>
        columns.map(({ name, type }, at) =>
          column(<span title={type}>{name}</span>, (row) => cellOf(row[at]), isNumber(type) ? 'n' : 'cut'),
        )
      }
    />
  );
}

function cellOf(value: unknown): ReactNode {
  if (value === null) return <span className="dim">NULL</span>;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
