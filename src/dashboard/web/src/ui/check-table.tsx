/** Results of checks as rows. */
import { useTranslation } from 'react-i18next';
import { num, percent } from '../format';
import { said } from '../said';
import { Badge } from './parts';
import { Table } from './table';

export interface CheckRow {
  readonly check_name: string;
  readonly kind: string;
  readonly severity: string;
  readonly outcome: string;
  readonly measured: number | null;
  readonly threshold: number | null;
  readonly bad_rows: number;
  readonly detail: string;
  readonly unit: string;
  readonly examples: string | null;
  readonly checked_at?: string;
  readonly run_id?: string;
}

const figure = (value: number | null, unit: string): string =>
  unit === 'ratio' ? percent(value) : num(value, 3);

export function CheckTable({ checks }: { readonly checks: readonly CheckRow[] }) {
  const { t } = useTranslation();
  return (
    <Table
      rows={checks}
      keyOf={({ check_name }) => check_name}
      columns={(column) => [
        column(t('common.outcome'), ({ outcome }) => <Badge word={outcome} />),
        column(t('run.check'), ({ check_name, kind }) => (
          <>
            {check_name}
            <div className="small dim">{said(kind)}</div>
          </>
        )),
        column(t('run.severity'), ({ severity }) => said(severity)),
        column(t('run.measuredValue'), ({ measured, unit }) => figure(measured, unit), 'n'),
        column(t('run.threshold'), ({ threshold, unit }) => figure(threshold, unit), 'n'),
        column(t('run.bad'), ({ bad_rows }) => num(bad_rows), 'n'),
        column(t('common.detail'), ({ detail, examples }) => (
          <>
            {said(detail)}
            {examples && (
              <details>
                <summary className="small dim">{t('run.examples')}</summary>
                <code>{examples}</code>
              </details>
            )}
          </>
        )),
      ]}
    />
  );
}
