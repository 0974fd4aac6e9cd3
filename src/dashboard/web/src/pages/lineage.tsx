/** Where each table comes from, as the newest run of each dataset tells it: laid out by dagre, drawn as one picture. */
import { Graph, layout } from '@dagrejs/dagre';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { LineageGraph } from '../../../server/shapes/lake';
import { get, queryOf } from '../api';
import { useFilter } from '../filter';
import { useDatasetNames } from '../datasets';
import { compact, relative } from '../format';
import { useNow, useSection } from '../live';
import { said } from '../said';
import { Card, Empty, Problem } from '../ui/parts';

const WIDTH = 190;
const HEIGHT = 46;

export default function Lineage() {
  const { t } = useTranslation();
  const now = useNow();
  const lake = useSection('lake');
  const names = useDatasetNames();
  const [filter, set] = useFilter();
  const dataset = filter.get('dataset') ?? '';
  /** What a run wrote, where one is looked at. */
  const touched = new Set(filter.get('touched')?.split(',') ?? []);
  const path = `/api/lineage${queryOf({ dataset })}`;
  const answer = useQuery({
    queryKey: [path, lake.value?.changedAt],
    queryFn: () => get<LineageGraph>(path),
    placeholderData: (before) => before,
  });
  const drawn = useMemo(() => (answer.data ? place(answer.data) : null), [answer.data]);
  return (
    <>
      <div className="head">
        <h1>{t('nav.lineage')}</h1>
        <select
          aria-label={t('common.dataset')}
          value={dataset}
          onChange={({ target }) => set({ dataset: target.value })}
        >
          <option value="">
            {t('common.dataset')}: {t('common.all')}
          </option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        {answer.data && answer.data.datasets.length < answer.data.total && (
          <span className="dim small">
            {answer.data.datasets.length} / {answer.data.total}
          </span>
        )}
      </div>
      <Problem error={answer.error} />
      <Card title={t('nav.lineage')} of={lake}>
        {drawn && drawn.nodes.length === 0 && <Empty>{t('empty.lineage')}</Empty>}
        {drawn && drawn.nodes.length > 0 && (
          <div className="pad scroll" tabIndex={0}>
            <svg
              className="graph"
              viewBox={`0 0 ${drawn.width} ${drawn.height}`}
              role="group"
              aria-label={t('nav.lineage')}
            >
              {drawn.edges.map((d) => (
                <path key={d} d={d} />
              ))}
              {drawn.nodes.map(({ id, kind, rows, changedAt, href, x, y }) => {
                const told = [
                  rows === null ? '' : compact(rows),
                  changedAt === null ? '' : relative(changedAt, now),
                ];
                const box = (
                  <g
                    className={`${kind} ${touched.has(id) ? 'touched' : ''}`}
                    transform={`translate(${x - WIDTH / 2},${y - HEIGHT / 2})`}
                  >
                    <rect width={WIDTH} height={HEIGHT} rx={8} />
                    <text x={12} y={20}>
                      {said(id).length > 27 ? `…${said(id).slice(-26)}` : said(id)}
                    </text>
                    <text x={12} y={36} className="sub">
                      {told.filter((one) => one !== '').join(' · ')}
                    </text>
                    <title>{said(id)}</title>
                  </g>
                );
                return href ? (
                  <Link key={id} href={href}>
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

function place({ nodes, edges }: Pick<LineageGraph, 'nodes' | 'edges'>) {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 70, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  for (const { from, to } of edges) graph.setEdge(from, to);
  layout(graph);
  const { width = 300, height = 100 } = graph.graph() as { width?: number; height?: number };
  return {
    ...{ width, height },
    nodes: nodes.map((node) => {
      const { x, y } = graph.node(node.id) as { x: number; y: number };
      return { ...node, x, y };
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
