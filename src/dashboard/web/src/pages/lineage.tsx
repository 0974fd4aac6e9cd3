/** Where each table comes from, as the newest run of each dataset tells it: laid out by dagre, drawn as one picture. */
import { Graph, layout } from '@dagrejs/dagre';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { LineageGraph } from '../../../server/lineage';
import { get } from '../api';
import { compact, relative } from '../format';
import { useNow, useSection } from '../live';
import { Card, Empty, Problem } from '../ui/parts';

const WIDTH = 190;
const HEIGHT = 46;

export default function Lineage() {
  const { t } = useTranslation();
  const now = useNow();
  const tables = useSection('tables');
  const stamp = tables.value?.length ?? 0;
  const answer = useQuery({ queryKey: ['lineage', stamp], queryFn: () => get<LineageGraph>('/api/lineage') });
  const drawn = useMemo(() => (answer.data ? place(answer.data) : null), [answer.data]);
  return (
    <>
      <div className="head">
        <h1>{t('nav.lineage')}</h1>
      </div>
      <Problem error={answer.error} />
      <Card title={t('nav.lineage')} of={tables}>
        {drawn && drawn.nodes.length === 0 && <Empty>{t('empty.lineage')}</Empty>}
        {drawn && drawn.nodes.length > 0 && (
          <div className="pad scroll">
            <svg
              className="graph"
              viewBox={`0 0 ${drawn.width} ${drawn.height}`}
              role="group"
              aria-label={t('nav.lineage')}
            >
              {drawn.edges.map((d) => (
                <path key={d} d={d} />
              ))}
              {drawn.nodes.map(({ id, x, y }) => {
                const info = tables.value?.find(({ name }) => name === id);
                const box = (
                  <g transform={`translate(${x - WIDTH / 2},${y - HEIGHT / 2})`}>
                    <rect width={WIDTH} height={HEIGHT} rx={8} />
                    <text x={12} y={20}>
                      {id.length > 27 ? `…${id.slice(-26)}` : id}
                    </text>
                    <text x={12} y={36} className="sub">
                      {info ? `${compact(info.rows)} · ${relative(info.changedAt, now)}` : ''}
                    </text>
                    <title>{id}</title>
                  </g>
                );
                return info ? (
                  <Link key={id} href={`/lake/${id}?tab=history`}>
                    {box}
                  </Link>
                ) : (
                  <g key={id}>{box}</g>
                );
              })}
            </svg>
          </div>
        )}
      </Card>
    </>
  );
}

function place({ nodes, edges }: LineageGraph) {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 70, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of nodes) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  for (const { from, to } of edges) graph.setEdge(from, to);
  layout(graph);
  const { width = 300, height = 100 } = graph.graph() as { width?: number; height?: number };
  return {
    ...{ width, height },
    nodes: nodes.map((id) => {
      const { x, y } = graph.node(id) as { x: number; y: number };
      return { id, x, y };
    }),
    edges: graph.edges().map(({ v, w }) => {
      const from = graph.node(v) as { x: number; y: number };
      const to = graph.node(w) as { x: number; y: number };
      const [left, right] = [from.x + WIDTH / 2, to.x - WIDTH / 2];
      const middle = (left + right) / 2;
      return `M${left},${from.y} C${middle},${from.y} ${middle},${to.y} ${right},${to.y}`;
    }),
  };
}
