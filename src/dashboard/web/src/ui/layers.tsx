/** The layers of the lake with what is in each. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { bytes, compact, num } from '../format';
import { useSection } from '../live';
import { Card, Empty } from './parts';
import { Table } from './table';

export function Layers() {
  const { t } = useTranslation();
  const measured = useSection('lake');
  const lake = measured.value;
  return (
    <Card title={<Link href="/lake">{t('overview.layers')}</Link>} of={measured}>
      {measured.at && lake?.total === 0 ? (
        <Empty>{t('lake.empty')}</Empty>
      ) : (
        <Table
          rows={lake?.layers}
          keyOf={({ layer }) => layer}
          columns={(column) => [
            column(t('overview.layers'), ({ layer }) => <Link href={`/lake?layer=${layer}`}>{layer}</Link>),
            column(t('overview.tables'), ({ tables }) => num(tables), 'n'),
            column(t('common.rows'), ({ rows }) => compact(rows), 'n', { title: ({ rows }) => num(rows) }),
            column(t('common.size'), ({ bytes: size }) => bytes(size), 'n'),
          ]}
        />
      )}
    </Card>
  );
}
