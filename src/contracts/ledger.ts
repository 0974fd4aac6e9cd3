/** The row arithmetic of one step (DESIGN law 2): every row read has exactly one outcome. */
export interface Ledger {
  readonly read: number;
  readonly accepted: number;
  /** Superseded, stale or unchanged rows. Always 0 in Bronze. */
  readonly duplicate: number;
  readonly quarantined: number;
}

/** The ledger of nothing: of a step that had nothing to do, and what a sum begins with. */
export const NO_ROWS: Ledger = Object.freeze({ read: 0, accepted: 0, duplicate: 0, quarantined: 0 });
