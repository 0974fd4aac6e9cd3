/** The identity of a new Kafka cluster. */
import { describe, expect, it } from 'vitest';
import { newClusterId } from '../../../src/platform/services/kafka.js';

describe('newClusterId', () => {
  it('is 22 characters of base64url', () => {
    expect(newClusterId()).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
  });

  it('never begins with a hyphen, which Kafka’s tools would take for an option', () => {
    const draws = [Buffer.alloc(16, 0xfb), Buffer.alloc(16, 0xff)];
    expect(Buffer.alloc(16, 0xfb).toString('base64url').startsWith('-')).toBe(true);
    const id = newClusterId((bytes) => {
      expect(bytes).toBe(16);
      return draws.shift() ?? Buffer.alloc(16);
    });
    expect(id).toBe(Buffer.alloc(16, 0xff).toString('base64url'));
    expect(draws).toHaveLength(0);
  });
});
