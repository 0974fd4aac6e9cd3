/** Languages: English and Brazilian Portuguese; the choice is kept in the browser. */
import i18n from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './locale-en';
import { ptBR } from './locale-pt-br';

const KEY = 'datalab.language';
const wanted = localStorage.getItem(KEY) ?? (navigator.language.startsWith('pt') ? 'pt-BR' : 'en');

void i18n.use(initReactI18next).init({
  resources: { en: { translation: en }, 'pt-BR': { translation: ptBR } },
  lng: wanted,
  fallbackLng: 'en',
  interpolation: { escapeValue: false },
});
document.documentElement.lang = wanted;

export function chooseLanguage(language: string): void {
  localStorage.setItem(KEY, language);
  document.documentElement.lang = language;
  void i18n.changeLanguage(language);
}

export default i18n;
