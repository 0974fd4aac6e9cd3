/** `.env.example` names every variable that the configuration knows, and no other. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { VARIABLES } from '../../src/config/environment.js';

it('.env.example and the configuration know the same variables', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const named = [...text.matchAll(/^# ([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(VARIABLES.map(({ name }) => name).sort());
});
