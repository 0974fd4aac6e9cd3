/** The ledger of a layer as a flow: what was read on the left, what became of it on the right, as thick as it is much. */
import { useTranslation } from 'react-i18next';
import type { Ledger } from '../../../../contracts/ledger';
import { num, percent } from '../format';
import { Card, Empty } from './parts';

const WIDTH = 440;
const LEFT = 96;
const RIGHT = 250;
const BAR = 10;
const TOP = 12;
const FLOW = 84;
const GAP = 28;
/** Something is always to be seen, however few the rows. */
const THINNEST = 2;
const BRANCHES = [
  ['accepted', 'ok'],
  ['duplicate', 'idle'],
  ['quarantined', 'warn'],
] as const;

export function LedgerFlow({ layer, ledger }: { readonly layer: string; readonly ledger: Ledger }) {
  const { t } = useTranslation();
  const said = [
    `${t('run.read')} ${num(ledger.read)}`,
    ...BRANCHES.map(([word]) => `${t(`run.${word}`)} ${num(ledger[word])}`),
  ].join(', ');
  return (
    <Card title={`${t('run.ledger')}: ${layer}`}>
      {ledger.read === 0 ? (
        <Empty>{t('run.nothingRead')}</Empty>
      ) : (
        <div className="pad">
          <svg
            className="ledger"
            viewBox={`0 0 ${WIDTH} ${2 * TOP + FLOW + 2 * GAP}`}
            role="img"
            aria-label={`${layer}: ${said}`}
          >
            <Flow ledger={ledger} />
          </svg>
        </div>
      )}
    </Card>
  );
}

function Flow({ ledger }: { readonly ledger: Ledger }) {
  const { t } = useTranslation();
  const { read } = ledger;
  const thick = (rows: number): number => (rows === 0 ? 0 : Math.max(THINNEST, (rows / read) * FLOW));
  const total = BRANCHES.reduce((sum, [word]) => sum + thick(ledger[word]), 0);
  const middle = TOP + GAP;
  let left = middle;
  let right = TOP;
  return (
    <>
      <rect x={LEFT} y={middle} width={BAR} height={total} rx={2} />
      <text x={LEFT - 10} y={middle + total / 2 - 2} textAnchor="end">
        <tspan className="rows">{num(read)}</tspan>
        <tspan x={LEFT - 10} dy={15} className="sub">
          {t('run.read')}
        </tspan>
      </text>
      {BRANCHES.map(([word, tone]) => {
        const size = thick(ledger[word]);
        const [from, to] = [left, right];
        left += size;
        right += size + GAP;
        return (
          <g key={word} className={tone}>
            {size > 0 && <path d={band(from, to, size)} />}
            {size > 0 && <rect x={RIGHT} y={to} width={BAR} height={size} rx={2} />}
            <text x={RIGHT + BAR + 10} y={to + size / 2 + 4}>
              <tspan className="rows">{num(ledger[word])}</tspan> {t(`run.${word}`)}{' '}
              <tspan className="sub">{percent(ledger[word] / read)}</tspan>
            </text>
          </g>
        );
      })}
    </>
  );
}

/** From height `left` to height `right`, `size` thick. */
function band(left: number, right: number, size: number): string {
  const [from, bend] = [LEFT + BAR, (LEFT + BAR + RIGHT) / 2];
  return (
    `M${from},${left}C${bend},${left} ${bend},${right} ${RIGHT},${right}` +
    `V${right + size}C${bend},${right + size} ${bend},${left + size} ${from},${left + size}Z`
  );
}
