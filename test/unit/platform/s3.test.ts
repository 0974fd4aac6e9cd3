/** The gateway's command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { s3Service } from '../../../src/platform/services/s3.js';
import { ensureSettings } from '../../../src/platform/settings.js';

test('where there are no extended attributes, metadata goes beside the data; keys are never arguments', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'datalab-s3-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'versitygw'), '', { mode: 0o755 });
  const settings = ensureSettings({ DATALAB_STATE_DIR: path.join(folder, 'state'), PATH: folder });
  const secret = settings.env['AWS_SECRET_ACCESS_KEY'] as string;

  const before = s3Service.command(settings);
  expect(before.args).not.toContain('--sidecar');
  expect(before.args.join(' ')).not.toContain(secret);
  expect(before.env['ROOT_SECRET_ACCESS_KEY']).toBe(secret);

  expect(s3Service.recover?.(settings, 'disk on fire')).toBe(false);
  expect(s3Service.recover?.(settings, 'xattr check failed: xattrs are not supported')).toBe(true);
  const { args } = s3Service.command(settings);
  const sidecar = args[args.indexOf('--sidecar') + 1] as string;
  expect(args).toContain('--sidecar');
  // The gateway compares the paths as texts.
  expect(sidecar.startsWith(args.at(-1) as string)).toBe(false);
  expect(s3Service.recover?.(settings, 'xattr check failed')).toBe(false);
});
