/** The row arithmetic of one step (DESIGN law 2): every row read has exactly one outcome. */
export interface Ledger {
  readonly read: number;
  readonly accepted: number;
  /** Superseded, stale or unchanged rows. Always 0 in Bronze. */
  readonly duplicate: number;
  readonly quarantined: number;
}
