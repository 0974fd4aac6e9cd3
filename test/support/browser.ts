/** Debian's Chromium, without a display and without calls of its own. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const CANDIDATES = [
  process.env['DATALAB_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Undefined where the machine has none. */
export const chromiumPath = CANDIDATES.find((file): file is string => file !== undefined && existsSync(file));

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath as string,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-dev-shm-usage'],
  });
}

const QUALITY = 0.75;

/** A picture of the whole page, or of what is in view, as WebP, which the browser itself encodes: a third of a PNG. */
export async function pictureOf(page: Page, isWhole: boolean): Promise<Buffer> {
  const png = await page.screenshot({ fullPage: isWhole, animations: 'disabled' });
  // A page of its own: that of the dashboard allows no picture that it did not send.
  const easel = await page.context().newPage();
  try {
    const encoded = await easel.evaluate(
      `(async () => {
        const image = new Image();
        image.src = 'data:image/png;base64,${png.toString('base64')}';
        await image.decode();
        const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
        canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL('image/webp', ${QUALITY});
      })()`,
    );
    return Buffer.from(String(encoded).split(',')[1] ?? '', 'base64');
  } finally {
    await easel.close();
  }
}
