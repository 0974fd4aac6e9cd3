/** Names of tables in the input of flows that work on a lake: also tables that others made. */
const TABLE_NAME = /^(bronze|silver|gold|quarantine|meta)\.[A-Za-z0-9_-]+$/;

export function isTableName(name: unknown): name is string {
  return typeof name === 'string' && TABLE_NAME.test(name);
}

/** A list of at least one. */
export function areTableNames(names: unknown): names is string[] {
  return Array.isArray(names) && names.length > 0 && names.every(isTableName);
}
