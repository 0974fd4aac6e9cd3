/** Rows of a query. */
interface Result {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>;
  readonly rows: ReadonlyArray<readonly unknown[]>;
}

const isNumber = (type: string): boolean => /INT|DOUBLE|FLOAT|DECIMAL/.test(type);

export function ResultTable({ result: { columns, rows } }: { readonly result: Result }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="rows">
      <table>
        <thead>
          <tr>
            {columns.map(({ name, type }) => (
              <th key={name} className={isNumber(type) ? 'n' : ''} title={type}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, at) => (
                <td key={columns[at]?.name ?? at} className={isNumber(columns[at]?.type ?? '') ? 'n' : 'cut'}>
                  {cell === null ? (
                    <span className="dim">NULL</span>
                  ) : typeof cell === 'object' ? (
                    JSON.stringify(cell)
                  ) : (
                    String(cell)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
