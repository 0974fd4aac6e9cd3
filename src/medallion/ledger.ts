/** The row arithmetic, checked before anything is published (DESIGN law 2). */
import { DatalabError } from '../contracts/errors.js';
import { NO_ROWS, type Ledger } from '../contracts/ledger.js';

/** The same ledger where it balances. Throws LEDGER_UNBALANCED, naming `what` and every number. */
export function balanced(what: string, ledger: Ledger): Ledger {
  const { read, accepted, duplicate, quarantined } = ledger;
  const counts = [read, accepted, duplicate, quarantined];
  if (counts.every((count) => Number.isSafeInteger(count) && count >= 0)) {
    if (read === accepted + duplicate + quarantined) return ledger;
  }
  throw new DatalabError(
    'LEDGER_UNBALANCED',
    `${what}: ${read} rows read, but ${accepted} accepted + ${duplicate} duplicate + ${quarantined} quarantined = ` +
      `${accepted + duplicate + quarantined}`,
  );
}

/** Sum of ledgers. */
export function addLedgers(ledgers: readonly Ledger[]): Ledger {
  return ledgers.reduce(
    (sum, ledger) => ({
      read: sum.read + ledger.read,
      accepted: sum.accepted + ledger.accepted,
      duplicate: sum.duplicate + ledger.duplicate,
      quarantined: sum.quarantined + ledger.quarantined,
    }),
    NO_ROWS,
  );
}
