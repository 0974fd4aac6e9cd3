/** The whole page without a mouse: an order that is the page's own, a focus that is seen, dialogs that let go. */
import { expect, it } from 'vitest';
import { PAGES, type Bench } from './bench.js';

/** Keeps, in the browser, what had the focus: whether it could be seen, and whether it came after what had it before. */
const WATCH = `(() => {
  window.walked = [];
  let before = null;
  document.addEventListener('focusin', ({ target }) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const place = before && before.compareDocumentPosition(target);
    window.walked.push({
      said: target.tagName + ' ' + (target.getAttribute('aria-label') ?? target.textContent ?? '').trim().slice(0, 40),
      isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 && target.getClientRects().length > 0,
      isLater: !before || (place & Node.DOCUMENT_POSITION_FOLLOWING) !== 0,
      isFirst: target.classList.contains('skip'),
      isInDialog: target.closest('dialog[open]') !== null,
    });
    before = target;
  });
})()`;
/** What the tab key has to reach. */
const REACHABLE = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility() && !one.closest('dialog:not([open])')).length`;

interface Walked {
  readonly said: string;
  readonly isSeen: boolean;
  readonly isLater: boolean;
  readonly isFirst: boolean;
  readonly isInDialog: boolean;
}

export function isWalkedByKeyboard(bench: () => Bench): void {
  const walked = async (): Promise<Walked[]> => (await bench().page.evaluate('window.walked')) as Walked[];

  it('is walked through by the tab key alone, in the order of the page, with a focus that is seen', async () => {
    const { page, complaints } = bench();
    for (const name of [...PAGES, 'lake/gold.trades_by_day', 'models/next_day_direction']) {
      await bench().goto(name);
      await page.waitForTimeout(1500);
      await page.evaluate(WATCH);
      const reachable = Number(await page.evaluate(REACHABLE));
      for (let press = 0; press < reachable; press++) await page.keyboard.press('Tab');
      const steps = await walked();
      expect(steps[0]?.isFirst, `${name}: the first is the way to the content`).toBe(true);
      expect(
        steps.filter(({ isSeen }) => !isSeen),
        `${name}: not seen`,
      ).toEqual([]);
      expect(
        steps.filter(({ isLater, isFirst }) => !isLater && !isFirst),
        `${name}: not in order`,
      ).toEqual([]);
      // Live figures come and go while one walks: a row more or less is no fault.
      expect(steps.length, `${name}: reached of ${reachable}`).toBeGreaterThan(reachable * 0.9);
    }
    expect(complaints).toEqual([]);
  }, 240_000);

  it('goes to the content past the navigation, and from tab to tab by arrows', async () => {
    const { page } = bench();
    await bench().goto('lake/gold.trades_by_day');
    await page.getByRole('tab', { name: 'Schema' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(`document.activeElement.getBoundingClientRect().left`)).toBeGreaterThanOrEqual(
      0,
    );
    await page.keyboard.press('Enter');
    expect(await page.evaluate(`document.activeElement.id`)).toBe('content');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(`document.activeElement.closest('main') !== null`)).toBe(true);
    await page.getByRole('tab', { name: 'Schema' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL('**?tab=history');
    expect(await page.evaluate(`document.activeElement.textContent`)).toBe('History');
    await page.keyboard.press('End');
    await page.waitForURL('**?tab=properties');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL('**?tab=schema');
  });

  it('keeps the focus in a dialog until it is closed by Escape, and gives it back', async () => {
    const { page, complaints } = bench();
    const found: string[] = [];
    for (const [name, opener] of [
      ['runs', 'Start a run'],
      ['flows', 'Backfill…'],
      ['flows', 'Start with input…'],
      ['alerts', 'Silence'],
      ['alerts', 'New rule…'],
      ['maintenance', 'Run maintenance'],
      ['models/next_day_volatility', 'Roll back'],
    ] as const) {
      await bench().goto(name);
      const button = page.getByRole('button', { name: opener, exact: true }).first();
      await button.focus();
      await page.keyboard.press('Enter');
      await page.locator('dialog[open]').waitFor();
      await page.waitForTimeout(500);
      await page.evaluate(WATCH);
      for (let press = 0; press < 25; press++) await page.keyboard.press('Tab');
      const outside = (await walked()).filter(({ isInDialog }) => !isInDialog);
      expect(outside, `${name}: ${opener}`).toEqual([]);
      expect((await walked()).length, `${name}: ${opener}`).toBeGreaterThan(1);
      found.push(...(await bench().violations()));
      await page.keyboard.press('Escape');
      await page.locator('dialog[open]').waitFor({ state: 'hidden' });
      // A dialog that a person closes gives the focus back to what opened it.
      expect(await page.evaluate('document.activeElement.textContent'), name).toBe(opener);
    }
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
  }, 180_000);
}
