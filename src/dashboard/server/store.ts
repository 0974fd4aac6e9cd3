/** The dashboard's own small store: users, tokens, sessions, one-time links, and the audit log. One SQLite file. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AuditEntry } from '../../contracts/audit-log.js';
import type { RuleOverride, RuleOverrides } from '../../contracts/monitoring.js';
import { createClient, type Client, type InArgs } from '@libsql/client';

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
}

export interface SessionRecord {
  readonly user: string;
  readonly role: Role;
  readonly csrf: string;
}

const TABLES = [
  `CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL, created_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS sessions (hash TEXT PRIMARY KEY, user TEXT NOT NULL, csrf TEXT NOT NULL, expires_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS links (hash TEXT PRIMARY KEY, role TEXT NOT NULL, expires_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS rules (name TEXT PRIMARY KEY, override TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS identity (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)`,
];

/** Secrets (session ids, tokens, links) are only known to it by their SHA-256. */
export class Store {
  private constructor(
    private readonly db: Client,
    readonly directory: string,
  ) {}

  /** Opens or makes the store in a folder that only its owner may read. */
  static async open(directory: string): Promise<Store> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const db = createClient({ url: pathToFileURL(path.join(directory, 'dashboard.db')).href });
    await db.execute('PRAGMA journal_mode = WAL');
    await db.batch(TABLES, 'write');
    await db.execute({ sql: 'INSERT OR IGNORE INTO identity VALUES (1, ?)', args: [randomUUID()] });
    return new Store(db, directory);
  }

  close(): void {
    this.db.close();
  }

  async countUsers(): Promise<number> {
    return Number((await this.#rows('SELECT count(*) AS n FROM users'))[0]?.['n'] ?? 0);
  }

  async user(name: string): Promise<User | undefined> {
    const [row] = await this.#rows('SELECT * FROM users WHERE name = ?', [name]);
    return row && { name, role: row['role'] as Role, passwordHash: String(row['password_hash']) };
  }

  async users(): Promise<Array<Pick<User, 'name' | 'role'> & { createdAt: string }>> {
    const rows = await this.#rows('SELECT name, role, created_at FROM users ORDER BY name');
    return rows.map((row) => ({
      name: String(row['name']),
      role: row['role'] as Role,
      createdAt: new Date(Number(row['created_at'])).toISOString(),
    }));
  }

  /** False where the name is taken. */
  async addUser({ name, role, passwordHash }: User): Promise<boolean> {
    const sql = 'INSERT INTO users VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';
    return (await this.#run(sql, [name, role, passwordHash, Date.now()])) > 0;
  }

  async removeUser(name: string): Promise<boolean> {
    await this.#run('DELETE FROM sessions WHERE user = ?', [name]);
    return (await this.#run('DELETE FROM users WHERE name = ?', [name])) > 0;
  }

  async addSession(hash: string, user: string, csrf: string, expiresMs: number): Promise<void> {
    await this.#run('DELETE FROM sessions WHERE expires_at < ?', [Date.now()]);
    await this.#run('INSERT INTO sessions VALUES (?, ?, ?, ?)', [hash, user, csrf, expiresMs]);
  }

  /** The role is the user's now, not that of the sign-in. */
  async session(hash: string): Promise<SessionRecord | undefined> {
    const sql =
      'SELECT user, role, csrf FROM sessions JOIN users ON users.name = user WHERE hash = ? AND expires_at > ?';
    const [row] = await this.#rows(sql, [hash, Date.now()]);
    return row && { user: String(row['user']), role: row['role'] as Role, csrf: String(row['csrf']) };
  }

  async removeSession(hash: string): Promise<void> {
    await this.#run('DELETE FROM sessions WHERE hash = ?', [hash]);
  }

  async addToken(hash: string, name: string, role: Role, by: string): Promise<boolean> {
    const sql = 'INSERT INTO tokens VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
    return (await this.#run(sql, [hash, name, role, by, Date.now()])) > 0;
  }

  async token(hash: string): Promise<{ readonly name: string; readonly role: Role } | undefined> {
    const [row] = await this.#rows('SELECT name, role FROM tokens WHERE hash = ?', [hash]);
    return row && { name: String(row['name']), role: row['role'] as Role };
  }

  async tokens(): Promise<Array<{ name: string; role: Role; createdAt: string }>> {
    const rows = await this.#rows('SELECT name, role, created_at FROM tokens ORDER BY name');
    return rows.map((row) => ({
      name: String(row['name']),
      role: row['role'] as Role,
      createdAt: new Date(Number(row['created_at'])).toISOString(),
    }));
  }

  async removeToken(name: string): Promise<boolean> {
    return (await this.#run('DELETE FROM tokens WHERE name = ?', [name])) > 0;
  }

  async addLink(hash: string, role: Role, expiresMs: number): Promise<void> {
    await this.#run('DELETE FROM links WHERE expires_at < ?', [Date.now()]);
    await this.#run('INSERT INTO links VALUES (?, ?, ?)', [hash, role, expiresMs]);
  }

  /** Takes a link out and says whose role it gives: of two who use it at once, one gets it. */
  async takeLink(hash: string): Promise<Role | undefined> {
    const sql = 'DELETE FROM links WHERE hash = ? AND expires_at > ? RETURNING role';
    return (await this.#rows(sql, [hash, Date.now()]))[0]?.['role'] as Role | undefined;
  }

  /** Alert rules that were set here, and how often they were changed. */
  async rules(): Promise<Pick<RuleOverrides, 'revision' | 'rules'>> {
    const rows = await this.#rows('SELECT override FROM rules ORDER BY name');
    const [counter] = await this.#rows(`SELECT value FROM counters WHERE name = 'rules'`);
    return {
      revision: Number(counter?.['value'] ?? 0),
      rules: rows.map((row) => JSON.parse(String(row['override'])) as RuleOverride),
    };
  }

  /** Takes over a whole set of rules with its revision. */
  async replaceRules({ revision, rules }: Pick<RuleOverrides, 'revision' | 'rules'>): Promise<void> {
    await this.db.batch(
      [
        'DELETE FROM rules',
        ...rules.map((one) => ({
          sql: 'INSERT INTO rules VALUES (?, ?)',
          args: [one.rule.name, JSON.stringify(one)],
        })),
        { sql: `INSERT OR REPLACE INTO counters VALUES ('rules', ?)`, args: [revision] },
      ],
      'write',
    );
  }

  async audit(entry: Omit<AuditEntry, 'at'>): Promise<void> {
    const { who, role, action, target, detail, outcome } = entry;
    await this.#run(
      'INSERT INTO audit (at, who, role, action, target, detail, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [new Date().toISOString(), who, role, action, target, detail.slice(0, 2000), outcome],
    );
  }

  /** Tells the audit logs of two stores apart. */
  async identity(): Promise<string> {
    return String((await this.#rows('SELECT id FROM identity'))[0]?.['id']);
  }

  /** What the lake does not have yet, oldest first. */
  async auditUnsent(limit: number): Promise<Array<AuditEntry & { readonly id: number }>> {
    const sql = `SELECT * FROM audit WHERE id > coalesce((SELECT value FROM counters WHERE name = 'audit'), 0) ORDER BY id LIMIT ?`;
    return (await this.#rows(sql, [limit])).map((row) => ({ id: Number(row['id']), ...entryOf(row) }));
  }

  /** The lake has everything up to this one. */
  async auditSent(id: number): Promise<void> {
    await this.#run(`INSERT OR REPLACE INTO counters VALUES ('audit', ?)`, [id]);
  }

  /** Newest first. */
  async auditLog({
    limit,
    offset,
    search = '',
  }: {
    readonly limit: number;
    readonly offset: number;
    /** Part of who, action, target or detail. */
    readonly search?: string | undefined;
  }): Promise<{ total: number; rows: AuditEntry[] }> {
    const where = `instr(lower(who || ' ' || action || ' ' || target || ' ' || detail), ?) > 0`;
    const wanted = search.toLowerCase();
    const [count] = await this.#rows(`SELECT count(*) AS n FROM audit WHERE ${where}`, [wanted]);
    const rows = await this.#rows(`SELECT * FROM audit WHERE ${where} ORDER BY id DESC LIMIT ? OFFSET ?`, [
      ...[wanted, limit, offset],
    ]);
    return { total: Number(count?.['n'] ?? 0), rows: rows.map(entryOf) };
  }

  async #rows(sql: string, args: InArgs = []): Promise<Array<Record<string, unknown>>> {
    const { rows } = await this.db.execute({ sql, args });
    return rows as unknown as Array<Record<string, unknown>>;
  }

  async #run(sql: string, args: InArgs): Promise<number> {
    return (await this.db.execute({ sql, args })).rowsAffected;
  }
}

function entryOf(row: Record<string, unknown>): AuditEntry {
  const text = (key: string): string => String(row[key]);
  return {
    ...{ at: text('at'), who: text('who'), role: text('role'), action: text('action') },
    ...{ target: text('target'), detail: text('detail'), outcome: text('outcome') },
  };
}
