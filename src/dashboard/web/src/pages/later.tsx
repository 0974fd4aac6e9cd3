/** Pages whose flow has not recorded anything: which command fills them. */
import { useTranslation } from 'react-i18next';
import { Empty } from '../ui/parts';

export default function Later({ what }: { readonly what: 'models' | 'maintenance' }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="head">
        <h1>{t(`nav.${what}`)}</h1>
      </div>
      <section className="card">
        <Empty>{t(`empty.${what}`)}</Empty>
      </section>
    </>
  );
}
