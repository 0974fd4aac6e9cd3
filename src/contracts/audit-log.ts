/** The dashboard's audit log as the lake keeps it: who asked for which change, and whether it was done. */

/** The dashboard leaves it below this prefix of the lake, until a workflow puts it into `meta.dashboard_audit`. */
export const AUDIT_LOG_PREFIX = '_audit/';

/** One change that somebody asked for. */
export interface AuditEntry {
  /** ISO instant. */
  readonly at: string;
  readonly who: string;
  readonly role: string;
  readonly action: string;
  readonly target: string;
  /** What was asked for, as JSON. In the lake, of a query nothing: its text may hold what nobody is to read. */
  readonly detail: string;
  readonly outcome: string;
}

/** A line of a file in the inbox. */
export interface AuditRecord extends AuditEntry {
  /** The dashboard's store that it comes from; `sequence` counts in it, from 1, without a number used twice. */
  readonly source: string;
  readonly sequence: number;
}
