/** Results of checks as rows. */
import { useTranslation } from 'react-i18next';
import { num, percent } from '../format';
import { Badge } from './parts';

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
    <div className="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t('common.outcome')}</th>
            <th>{t('run.check')}</th>
            <th>{t('run.severity')}</th>
            <th className="n">{t('run.measuredValue')}</th>
            <th className="n">{t('run.threshold')}</th>
            <th className="n">{t('run.bad')}</th>
            <th>{t('common.detail')}</th>
          </tr>
        </thead>
        <tbody>
          {checks.map((check) => (
            <tr key={check.check_name}>
              <td>
                <Badge word={check.outcome} />
              </td>
              <td>
                {check.check_name}
                <div className="small dim">{check.kind}</div>
              </td>
              <td>{check.severity}</td>
              <td className="n">{figure(check.measured, check.unit)}</td>
              <td className="n">{figure(check.threshold, check.unit)}</td>
              <td className="n">{num(check.bad_rows)}</td>
              <td>
                {check.detail}
                {check.examples && (
                  <details>
                    <summary className="small dim">{t('quality.source')}</summary>
                    <code>{check.examples}</code>
                  </details>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
