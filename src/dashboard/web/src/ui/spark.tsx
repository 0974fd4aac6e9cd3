/** A line of figures over time, by uPlot: small in a table, larger as a chart. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export function Line({
  points,
  height = 120,
  label,
  min,
  max,
}: {
  readonly points: ReadonlyArray<{ readonly at: string; readonly value: number }>;
  readonly height?: number;
  readonly label: string;
  readonly min?: number;
  readonly max?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const host = box.current;
    // One point is no line, and an axis around it would show years that nothing is known of.
    if (!host || points.length < 2) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
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
        axes: [axis, { ...axis, size: 46 }],
        series: [
          {},
          { label, stroke: colour('--accent'), width: 1.5, points: { show: points.length < 40, size: 5 } },
        ],
      },
      [points.map(({ at }) => Date.parse(at) / 1000), points.map(({ value }) => value)],
      host,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height }));
    resize.observe(host);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [points, height, label, min, max]);
  return <div ref={box} role="img" aria-label={`${label}: ${points.at(-1)?.value ?? ''}`} />;
}
