/** Figures as bars: beside their names, or side by side as a histogram. The figures stand there as text too. */
import { Fragment } from 'react';

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  readonly tone?: string | undefined;
}

export function Bars({ bars }: { readonly bars: readonly Bar[] }) {
  const most = Math.max(1e-12, ...bars.map(({ value }) => Math.abs(value)));
  return (
    <div className="bars">
      {bars.map(({ name, value, text, tone }, index) => (
        <Fragment key={`${name} ${index}`}>
          <span className="cut" title={name}>
            {name}
          </span>
          <span className="small n">{text}</span>
          <span className="bar">
            <i className={tone ?? ''} style={{ width: `${(100 * Math.abs(value)) / most}%` }} />
          </span>
        </Fragment>
      ))}
    </div>
  );
}

export function Histogram({
  bars,
  label,
}: {
  readonly bars: ReadonlyArray<{ readonly rows: number; readonly said: string }>;
  readonly label: string;
}) {
  const most = Math.max(1, ...bars.map(({ rows }) => rows));
  return (
    <div className="histogram" role="img" aria-label={label}>
      {bars.map(({ rows, said }, index) => (
        <i
          key={index}
          title={said}
          style={{ height: `${rows === 0 ? 0 : Math.max(4, (100 * rows) / most)}%` }}
        />
      ))}
    </div>
  );
}
