/** A line of figures over time, by uPlot: small in a table, larger as a chart. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { num } from '../format';
import i18n from '../i18n';
import 'uplot/dist/uPlot.min.css';

export function Line({
  points,
  height = 120,
  label,
  min,
  max,
  marks,
}: {
  readonly points: ReadonlyArray<{ readonly at: string; readonly value: number }>;
  readonly height?: number;
  readonly label: string;
  readonly min?: number;
  readonly max?: number;
  /** Level lines, such as a median. */
  readonly marks?: readonly number[];
}) {
  const box = useRef<HTMLDivElement>(null);
  // As a text: an array would be another one at each drawing.
  const said = marks?.join(' ') ?? '';
  useEffect(() => {
    const host = box.current;
    // One point is no line, and an axis around it would show years that nothing is known of.
    if (!host || points.length < 2) return;
    const levels = said === '' ? [] : said.split(' ').map(Number);
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    // Times by the reader's language and zone; the library has its own.
    const spanS = Math.abs(Date.parse(points.at(-1)?.at ?? '') - Date.parse(points[0]?.at ?? '')) / 1000;
    const clock = new Intl.DateTimeFormat(
      i18n.language,
      spanS < 2 * 86_400
        ? { hour: '2-digit', minute: '2-digit', ...(spanS < 600 && { second: '2-digit' }) }
        : { day: '2-digit', month: 'short' },
    );
    const axis = {
      stroke: colour('--dim'),
      grid: { stroke: colour('--line'), width: 1 },
      font: '11px system-ui',
    };
    const plot = new uPlot(
      {
        width: host.clientWidth || 300,
        height,
        cursor: { y: false },
        legend: { show: false },
        scales: {
          y: {
            range: (_plot, low, high) => [
              min ?? low - (high - low || 1) * 0.1,
              max ?? high + (high - low || 1) * 0.1,
            ],
          },
        },
        axes: [
          {
            ...axis,
            size: 28,
            space: 70,
            values: (_plot, at) => at.map((second) => clock.format(second * 1000)),
          },
          { ...axis, size: 46, space: 22, values: (_plot, at) => at.map((value) => num(value, 3)) },
        ],
        series: [
          {},
          { label, stroke: colour('--accent'), width: 1.5, points: { show: points.length < 40, size: 5 } },
          ...levels.map(() => ({
            stroke: colour('--dim'),
            width: 1,
            dash: [4, 4],
            points: { show: false },
          })),
        ],
      },
      [
        points.map(({ at }) => Date.parse(at) / 1000),
        points.map(({ value }) => value),
        ...levels.map((level) => points.map(() => level)),
      ],
      host,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height }));
    resize.observe(host);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [points, height, label, min, max, said]);
  return <div ref={box} role="img" aria-label={`${label}: ${points.at(-1)?.value ?? ''}`} />;
}
