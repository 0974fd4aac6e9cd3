/** Tabs over one panel: the arrow keys go from tab to tab, as everywhere; the tab key goes into the panel. */
import { useId, type KeyboardEvent, type ReactNode } from 'react';

type Named = readonly [name: string, label: string];

/** Which tab a key leads to; undefined: it is no key of tabs. */
function reached(key: string, at: number, count: number): number | undefined {
  if (key === 'ArrowRight') return (at + 1) % count;
  if (key === 'ArrowLeft') return (at + count - 1) % count;
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}

export function Tabs({
  names,
  chosen,
  onChoose,
  children,
}: {
  readonly names: readonly Named[];
  readonly chosen: string;
  readonly onChoose: (name: string) => void;
  readonly children: ReactNode;
}) {
  const id = useId();
  const move = (event: KeyboardEvent<HTMLElement>): void => {
    const at = names.findIndex(([name]) => name === chosen);
    const next = names[reached(event.key, at, names.length) ?? -1];
    if (!next) return;
    event.preventDefault();
    onChoose(next[0]);
    document.getElementById(`${id}${next[0]}`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" onKeyDown={move}>
        {names.map(([name, label]) => (
          <button
            key={name}
            id={`${id}${name}`}
            type="button"
            role="tab"
            aria-selected={name === chosen}
            aria-controls={`${id}panel`}
            tabIndex={name === chosen ? 0 : -1}
            onClick={() => onChoose(name)}
          >
            {label}
          </button>
        ))}
      </div>
      <div id={`${id}panel`} className="panel" role="tabpanel" aria-labelledby={`${id}${chosen}`}>
        {children}
      </div>
    </>
  );
}
