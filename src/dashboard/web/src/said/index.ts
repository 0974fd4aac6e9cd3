/**
 * What the data itself says (a check's detail, an alert, a rule of the gate) in the reader's language. Workers write it in English,
 * as files and events keep it; the sentences that they are made of are known here, and what is filled into them stays. A sentence
 * that is not known is shown as it is.
 */
import i18n from '../i18n';
import { figureIn, translatorOf } from './translate';

let portuguese: ((text: string) => string) | undefined;

/** Brings the sentences of a language; English needs none. */
export async function learn(language: string): Promise<void> {
  if (language !== 'pt-BR' || portuguese) return;
  const { SENTENCES } = await import('./portuguese');
  portuguese = translatorOf(SENTENCES, figureIn('pt-BR'));
}

/** In the language that is chosen. */
export function said(text: string): string;
export function said(text: string | null | undefined): string | null | undefined;
export function said(text: string | null | undefined): string | null | undefined {
  if (!text || i18n.language !== 'pt-BR' || !portuguese) return text;
  return text.split('\n').map(portuguese).join('\n');
}
