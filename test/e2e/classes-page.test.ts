/**
 * The dashboard's pages of a model of several classes, and of one of yes or no with a threshold of its own, in a real browser over
 * a real MLflow: every cell of the confusion matrix by value, under the right names, in both themes and at the width of a telephone.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { parseModel } from '../../src/config/model.js';
import { openMlflow } from '../../src/connectors/mlflow/index.js';
import { outputsOf, type ModelDefinition } from '../../src/contracts/model.js';
import type { Evaluation } from '../../src/contracts/training.js';
import {
  composeDashboard,
  fingerprint,
  startDashboard,
  type RunningDashboard,
} from '../../src/dashboard/server/index.js';
import { evaluate } from '../../src/ml/evaluate.js';
import { passGate } from '../../src/ml/gate.js';
import { mlflowFiles } from '../../src/ml/mlmodel.js';
import { ownEngine } from '../../src/ml/own-engine.js';
import { seeded } from '../../src/ml/random.js';
import { trainCandidate } from '../../src/ml/train.js';
import { chromiumPath, openBrowser, pictureOf } from '../support/browser.js';
import { MLFLOW_MISSING } from '../support/mlflow.js';
import { testStack } from '../support/stack.js';

const MODEL = 'mood_of_the_market';
const CLASSES = ['falls steeply', 'falls', 'stays', 'rises', 'rises steeply'];
const NAMES = ['a', 'b', 'c'];
/** Says yes from a probability on that is its own. */
const BINARY = 'will_it_rise';
const THRESHOLD = 0.275;
const ROWS = 6000;
const DAY_MS = 86_400_000;
const PICTURES = process.env['DATALAB_PICTURES'];

/** Texts beside bars that a bar comes nearer to than two pixels, as an expression of the page. */
const TOUCHED = `[...document.querySelectorAll('.bars')].flatMap((bars) =>
  [...bars.querySelectorAll('span:not(.bar)')].filter((text) => {
    const said = text.getBoundingClientRect();
    return [...bars.querySelectorAll('.bar')].some((bar) => {
      const drawn = bar.getBoundingClientRect();
      const beside = drawn.right + 2 > said.left && drawn.left - 2 < said.right;
      return beside && drawn.bottom + 2 > said.top && drawn.top - 2 < said.bottom;
    });
  }).map((text) => text.textContent))`;

const definitionOf = (name: string, target: object): ModelDefinition =>
  parseModel('market', name, {
    ...{ name, table: 'days', keys: ['key'], time: 'time', metric: 'accuracy' },
    target: { expression: 'value', horizon: 1, ...target },
    features: NAMES.map((feature) => ({ name: feature })),
    ...{ candidates: [{ kind: 'linear' }], baselines: [{ kind: 'majority' }] },
  });

/**
 * Five classes in a row, told by one feature with so much noise that neighbours are taken for each other; of yes or no, whether
 * it is one of the upper two.
 */
function judged(definition: ModelDefinition) {
  const random = seeded(11);
  const x = Float32Array.from({ length: ROWS * NAMES.length }, () => random() * 4 - 2);
  const y = Float64Array.from({ length: ROWS }, (_, row) => {
    const at = 2.5 + 1.2 * (x[row * NAMES.length] ?? 0) + 1.2 * (random() + random() - 1);
    const place = Math.min(4, Math.max(0, Math.floor(at)));
    return definition.target.classes ? place : Number(place > 2);
  });
  const data = {
    ...{ names: NAMES, rows: ROWS, x, y, baselines: {} },
    keys: Array.from({ length: ROWS }, (_, row) => `["${row % 2}"]`),
    time: Float64Array.from({ length: ROWS }, (_, row) => Math.floor(row / 2) * DAY_MS),
    targetTime: Float64Array.from({ length: ROWS }, (_, row) => (Math.floor(row / 2) + 1) * DAY_MS),
  };
  const progress = (): void => undefined;
  const [candidate] = definition.candidates;
  if (!candidate) throw new Error('no candidate');
  const options = { nowMs: () => 0, progress };
  const { trained, booster } = trainCandidate(ownEngine, data, definition, candidate, options);
  const json = Buffer.from(booster.save('json'));
  const candidates = [{ trained, json: json.toString() }];
  const evaluation = evaluate({
    ...{ engine: ownEngine, data, model: definition, candidates, champion: null, progress },
  });
  const gate = passGate(definition.gate, evaluation, { leaks: [], championSchema: true });
  return { definition, evaluation, gate, json, trained };
}

/** A version with the report of its training, as a training leaves them in MLflow. */
async function register(
  uri: string,
  { definition, evaluation, gate, json, trained }: ReturnType<typeof judged>,
): Promise<void> {
  const mlflow = openMlflow(uri);
  const { name: model } = definition;
  const experiment = await mlflow.experiment(`datalab/${model}`);
  const run = await mlflow.ensureRun(experiment, { key: model, name: 'r', startMs: Date.now(), tags: {} });
  const source = `${run.artifactUri}/model`;
  const report = { model: definition, evaluation, gate, candidates: [trained] };
  await mlflow.putArtifact(run.artifactUri, 'report.json', JSON.stringify(report));
  const files = mlflowFiles({
    ...{ stored: { format: 'json', bytes: json }, featureNames: NAMES, runId: run.runId },
    ...{
      outputs: outputsOf(definition.target),
      createdAt: '2026-01-01T00:00:00Z',
      example: { a: 1, b: 2, c: 3 },
    },
  });
  const all = { ...files, 'model.json': json, 'definition.json': JSON.stringify(definition) };
  for (const [name, content] of Object.entries(all)) await mlflow.putArtifact(source, name, content);
  await mlflow.closeRun(run.runId, 'FINISHED', Date.now());
  await mlflow.ensureModel(model, '');
  const tags = { 'datalab.model': model, 'datalab.dataset': 'market', 'datalab.gate': 'passed' };
  await mlflow.createVersion(model, { source, runId: run.runId, tags, description: '' });
}

describe.skipIf(chromiumPath === undefined || MLFLOW_MISSING !== undefined)(
  'a model of classes in Chromium',
  () => {
    let folder: string;
    let evaluation: Evaluation;
    /** Of the model of yes or no. */
    let counts: Evaluation['confusion'];
    let dashboard: RunningDashboard;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'datalab-classes-page-'));
      const made = judged(definitionOf(MODEL, { kind: 'multiclass', classes: CLASSES }));
      const rises = judged(definitionOf(BINARY, { kind: 'binary', threshold: THRESHOLD }));
      evaluation = made.evaluation;
      counts = rises.evaluation.confusion;
      const { mlflow } = await testStack('mlflow');
      await register(mlflow, made);
      await register(mlflow, rises);
      const config = parseConfig(
        JSON.stringify({
          ...{ lake: { uri: `file://${folder}/lake` }, mlflow: { trackingUri: mlflow } },
          ...{ temporal: { address: '127.0.0.1:1' }, modelServer: { enabled: false } },
          dashboard: { port: 0 },
        }),
        { DATALAB_DASHBOARD_DIRECTORY: path.join(folder, 'store') },
      );
      const deps = await composeDashboard({ config, projectDirectory: folder }, pino({ level: 'silent' }));
      await deps.store.addToken(fingerprint('secret'), 'admin', 'admin', 'test');
      dashboard = await startDashboard(deps);
      browser = await openBrowser();
      const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: 'en-GB' });
      await context.setExtraHTTPHeaders({ authorization: 'Bearer secret' });
      page = await context.newPage();
    }, 240_000);
    afterAll(async () => {
      await browser?.close();
      await dashboard?.close();
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    it.each([
      ['light', 1360],
      ['dark', 1360],
      ['light', 390],
      ['dark', 390],
    ])(
      'its confusion matrix says every number under its names, in %s at %i',
      async (theme, width) => {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(dashboard.url);
        await page.evaluate(`localStorage.setItem('datalab.theme', '${theme}')`);
        await page.goto(`${dashboard.url}/models/${MODEL}`);
        const region = page.getByRole('region', { name: 'Confusion matrix' });
        await region.waitFor({ timeout: 60_000 });
        const { names, confusion } = evaluation.classes ?? { names: [], confusion: [] };
        expect(names).toEqual(CLASSES);
        const header = await region.locator('thead th').allInnerTexts();
        expect(header.map((text) => text.replace(/^predicted\s+/i, ''))).toEqual(CLASSES);
        const lines = region.locator('tbody tr');
        expect(await lines.count()).toBe(CLASSES.length);
        const shown = await Promise.all(
          CLASSES.map(async (_, at) => ({
            name: (await lines.nth(at).locator('th').innerText()).replace(/^was\s+/i, ''),
            counts: (await lines.nth(at).locator('td').allInnerTexts()).map((text) =>
              Number(text.replaceAll(/\D/g, '')),
            ),
          })),
        );
        expect(shown).toEqual(CLASSES.map((name, at) => ({ name, counts: [...(confusion[at] ?? [])] })));
        expect(shown.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0)).toBe(
          evaluation.rows.holdout,
        );
        // The diagonal and what lies beside it are told apart by more than their numbers, and nothing makes the page wider than it is.
        expect(await region.locator('td.good').count()).toBe(CLASSES.length);
        expect(await region.locator('td.wrong').count()).toBe(
          confusion.flatMap((line, was) => line.filter((count, said) => was !== said && count > 0)).length,
        );
        const ground = (cell: string): Promise<unknown> =>
          page.evaluate(`getComputedStyle(document.querySelector('.confusion ${cell}')).backgroundColor`);
        expect(await ground('td.good')).not.toBe(await ground('td.wrong'));
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect(await page.locator('.bars .bar').count()).toBeGreaterThan(CLASSES.length);
        expect(await page.evaluate(TOUCHED)).toEqual([]);
        if (PICTURES) {
          mkdirSync(PICTURES, { recursive: true });
          const section = page.locator('section', { has: region }).first();
          await section.screenshot({ path: path.join(PICTURES, `classes-${theme}-${width}.png`) });
          writeFileSync(path.join(PICTURES, `classes-${theme}-${width}.webp`), await pictureOf(page, true));
        }
      },
      120_000,
    );

    it.each([
      ['en', 'light', 1360, ['predicted yes (≥ 0.275)', 'predicted no', 'was yes', 'was no']],
      ['pt-BR', 'dark', 390, ['previsto sim (≥ 0,275)', 'previsto não', 'era sim', 'era não']],
    ] as const)(
      'a model of yes or no says from which probability on it says yes, in %s, %s at %i',
      async (language, theme, width, [saidYes, saidNo, wasYes, wasNo]) => {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(dashboard.url);
        await page.evaluate(
          `localStorage.setItem('datalab.theme', '${theme}'); localStorage.setItem('datalab.language', '${language}')`,
        );
        await page.goto(`${dashboard.url}/models/${BINARY}`);
        const matrix = page.locator('table.confusion');
        await matrix.waitFor({ timeout: 60_000 });
        const texts = async (cells: string): Promise<string[]> =>
          (await matrix.locator(cells).allInnerTexts()).map((text) => text.toLowerCase().trim());
        const figures = async (cells: string): Promise<number[]> =>
          (await texts(cells)).map((text) => Number(text.replaceAll(/\D/g, '')));
        expect(await texts('thead th')).toEqual([saidYes, saidNo]);
        expect(await texts('tbody th')).toEqual([wasYes, wasNo]);
        expect(counts?.threshold).toBe(THRESHOLD);
        expect(await figures('tbody td')).toEqual([counts?.tp, counts?.fn, counts?.fp, counts?.tn]);
        // Judged at one half these would be other numbers.
        expect((counts?.fp ?? 0) > (counts?.fn ?? 0)).toBe(true);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        if (PICTURES) {
          mkdirSync(PICTURES, { recursive: true });
          const section = page.locator('section', { has: matrix }).first();
          await section.screenshot({ path: path.join(PICTURES, `threshold-${theme}-${width}.png`) });
        }
      },
      120_000,
    );
  },
);
