/** The life of alert episodes: opened once, resolved once, told no more often than people bear. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AlertPolicy,
  AlertReport,
  AlertState,
  Silence,
  Transition,
} from '../../src/contracts/alerts.js';
import { SEVERITIES, type AlertSeverity, type Finding } from '../../src/contracts/monitoring.js';
import { messagesOf } from '../../src/workflows/alert-messages.js';
import { NO_ALERTS, step } from '../../src/workflows/episodes.js';
import { seedOf } from '../support/seed.js';

const MINUTE = 60_000;
const CYCLE = 5 * MINUTE;
const POLICY: AlertPolicy = {
  repeatSeconds: 3600,
  floodCap: 10,
  floodWindowSeconds: 600,
  flapOpenings: 3,
  flapWindowSeconds: 3600,
  flapHoldSeconds: 900,
  routes: { info: ['log'], warning: ['log'], error: ['log'], critical: ['log'] },
};

function finding(name: string, extras: Partial<Finding> = {}): Finding {
  return {
    fingerprint: `r{name=${name}}`,
    rule: 'r',
    source: 'services',
    severity: 'error',
    labels: { name },
    value: 0,
    summary: `${name} is down`,
    forSeconds: 0,
    ...extras,
  };
}

function report(at: number, findings: readonly Finding[], measured = ['services']): AlertReport {
  return { at, findings, measured, policy: POLICY };
}

/** Feeds reports five minutes apart and notes `change fingerprint` of what people are told. */
function live(cycles: ReadonlyArray<readonly Finding[]>, state: AlertState = NO_ALERTS) {
  const transitions: Transition[] = [];
  cycles.forEach((findings, index) => {
    const done = step(state, report((index + 1) * CYCLE, findings));
    state = done.state;
    transitions.push(...done.transitions);
  });
  return { state, changes: transitions.map(({ change }) => change), transitions };
}

const A = finding('a');

describe('an episode', () => {
  it('opens once, is told again after the repeat interval, and resolves once', () => {
    const { changes } = live([...Array.from({ length: 14 }, () => [A]), [], []]);
    expect(changes).toEqual(['opened', 'repeated', 'resolved']);
  });

  it('opens only after its minimum duration, and not at all when it goes away before', () => {
    const slow = finding('a', { forSeconds: 600 });
    expect(live([[slow], [slow]]).changes).toEqual([]);
    expect(live([[slow], [slow], [slow]]).changes).toEqual(['opened']);
    expect(live([[slow], [], [slow], [slow], []]).changes).toEqual([]);
  });

  it('stays open while its source does not measure', () => {
    const { state } = live([[A]]);
    const blind = step(state, report(2 * CYCLE, [], ['lake']));
    expect(blind.transitions).toEqual([]);
    expect(step(blind.state, report(3 * CYCLE, [])).transitions.map(({ change }) => change)).toEqual([
      'resolved',
    ]);
  });

  it('is told when its severity changes, also where somebody looks after it already', () => {
    const { state } = live([[A]]);
    const known = state.episodes[A.fingerprint];
    if (!known) throw new Error('it is not open');
    const acknowledged: AlertState = {
      ...state,
      episodes: { [A.fingerprint]: { ...known, acknowledged: { by: 'me', at: 0, note: '' } } },
    };
    const worse = step(acknowledged, report(2 * CYCLE, [finding('a', { severity: 'critical' })]));
    expect(worse.transitions).toMatchObject([
      { change: 'updated', episode: { severity: 'critical', acknowledged: null } },
    ]);
    const later = live(
      Array.from({ length: 20 }, () => [A]),
      acknowledged,
    );
    expect(later.changes).not.toContain('repeated');
  });

  it('that flaps resolves only after it was away for a while', () => {
    const { changes } = live([[A], [], [A], [], [A], [], [A], [], [A], [], [], [], []]);
    expect(changes).toEqual(['opened', 'resolved', 'opened', 'resolved', 'opened', 'resolved']);
  });

  it('that is silenced is told when the silence ends, and its end only to those who know', () => {
    const silence: Silence = {
      id: 's',
      by: 'me',
      reason: '',
      from: 0,
      until: 2 * CYCLE + 1,
      rule: 'r',
      labels: { name: 'a' },
    };
    const quiet: AlertState = { ...NO_ALERTS, silences: [silence] };
    const told = (cycles: ReadonlyArray<readonly Finding[]>) =>
      live(cycles, quiet).transitions.map(({ change, muted }) => `${change} ${muted ?? 'told'}`);
    expect(told([[A], [A], [A], []])).toEqual(['opened silenced', 'updated told', 'resolved told']);
    expect(told([[A], []])).toEqual(['opened silenced', 'resolved silenced']);
  });
});

describe('whatever is reported', () => {
  const anyReport = fc.array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      severity: fc.constantFrom<AlertSeverity>(...SEVERITIES),
      forSeconds: fc.constantFrom(0, 300, 900),
    }),
    { maxLength: 4 },
  );

  it('an episode opens at most once, resolves at most once, in that order, after its minimum duration', () => {
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 40 }), (reports) => {
        const cycles = reports.map((found) => found.map(({ name, ...extras }) => finding(name, extras)));
        const { transitions } = live(cycles);
        const lives = new Map<string, Transition[]>();
        for (const transition of transitions)
          lives.set(transition.episode.id, [...(lives.get(transition.episode.id) ?? []), transition]);
        for (const life of lives.values()) {
          const changes = life.map(({ change }) => change);
          expect(changes[0]).toBe('opened');
          expect(changes.filter((change) => change === 'opened')).toHaveLength(1);
          const end = changes.indexOf('resolved');
          if (end >= 0) expect(end).toBe(changes.length - 1);
          const { since, openedAt } = life[0]!.episode;
          expect(openedAt).toBeGreaterThanOrEqual(since);
        }
      }),
      { seed: seedOf(23) },
    );
  });

  it('two episodes of one fingerprint are never open at once', () => {
    fc.assert(
      fc.property(fc.array(anyReport, { maxLength: 40 }), (reports) => {
        const open = new Set<string>();
        const cycles = reports.map((found) => found.map(({ name, ...extras }) => finding(name, extras)));
        for (const { change, episode } of live(cycles).transitions) {
          if (change === 'opened') {
            expect(open.has(episode.fingerprint)).toBe(false);
            open.add(episode.fingerprint);
          }
          if (change === 'resolved') expect(open.delete(episode.fingerprint)).toBe(true);
        }
      }),
      { seed: seedOf(23) },
    );
  });

  it('nothing is kept of what is over and does not flap', () => {
    const { state } = live([[A, finding('b')], ...Array.from({ length: 20 }, () => [])]);
    expect(state.episodes).toEqual({});
  });
});

describe('messages', () => {
  const many = (count: number, severity: AlertSeverity): Finding[] =>
    Array.from({ length: count }, (_, index) => finding(`${severity}-${index}`, { severity }));
  const messages = (findings: readonly Finding[]) => {
    const { state, transitions } = step(NO_ALERTS, report(CYCLE, findings));
    return messagesOf(state, transitions, CYCLE, POLICY).messages;
  };

  it('are one for each rule up to the cap', () => {
    const rules = Array.from({ length: 10 }, (_, index) => finding('a', { rule: `r${index}` }));
    const apart = rules.map((one) => ({ ...one, fingerprint: `${one.rule}{}` }));
    expect(messages(apart)).toHaveLength(10);
  });

  it('name what one rule found together, apart by severity', () => {
    const [together, alone, ...more] = messages([...many(3, 'error'), ...many(1, 'warning')]);
    expect(more).toEqual([]);
    expect(together).toMatchObject({
      change: 'opened',
      count: 3,
      severity: 'error',
      title: '[error] 3 × r opened',
    });
    expect(together?.episodes.map(({ fingerprint }) => fingerprint)).toEqual(
      many(3, 'error').map(({ fingerprint }) => fingerprint),
    );
    expect(together?.text.split('\n')).toHaveLength(3);
    expect(alone).toMatchObject({ count: 1, severity: 'warning', title: '[warning] r opened' });
  });

  it('of a storm are one digest, and critical ones go out by themselves', () => {
    const sent = messages([...many(1000, 'error'), ...many(2, 'critical')]);
    expect(sent.map(({ change, count }) => `${change} ${count}`)).toEqual(['opened 2', 'digest 1000']);
    expect(sent[1]).toMatchObject({ severity: 'error', text: '1000 × r opened' });
    expect(sent[1]?.episodes).toHaveLength(20);
  });

  it('count over the window, not over one report', () => {
    let state = NO_ALERTS;
    const sizes = [8, 8].map((count, cycle) => {
      const at = CYCLE + cycle * MINUTE;
      const found = Array.from({ length: count }, (_, index) =>
        finding(`${cycle}-${index}`, { rule: `r${index}` }),
      );
      const done = step(state, { ...report(at, found), measured: [] });
      const told = messagesOf(done.state, done.transitions, at, POLICY);
      state = told.state;
      return told.messages.length;
    });
    expect(sizes).toEqual([8, 1]);
  });
});
