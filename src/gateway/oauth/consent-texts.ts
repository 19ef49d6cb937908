/** What the pages of the gateway say, by language. Further languages, or other words, come from the configuration. */
import type { ConsentTexts } from './gateway-options.ts';

const english: ConsentTexts = {
  title: 'Allow {client} to use {resource}?',
  asks: '{client} asks for access to {resource} in your name.',
  scopes: 'It wants to:',
  noScopes: 'It asks for no permission in particular.',
  sentTo: 'You will be sent to {host} afterwards.',
  loopback:
    'This application runs on your own computer, where any program can use its name. Allow it only if you have just started it yourself.',
  unverified: 'The name was chosen by the application. Nobody has checked it.',
  allow: 'Allow and sign in',
  refuse: 'Refuse',
  problem: 'This sign-in cannot go on',
  startAgain: 'Close this window and start again in the application.',
};

const german: ConsentTexts = {
  title: '{client} den Zugriff auf {resource} erlauben?',
  asks: '{client} bittet in Ihrem Namen um Zugriff auf {resource}.',
  scopes: 'Gewünscht wird:',
  noScopes: 'Es wird keine bestimmte Berechtigung gewünscht.',
  sentTo: 'Danach geht es weiter zu {host}.',
  loopback:
    'Diese Anwendung läuft auf Ihrem eigenen Rechner, wo jedes Programm ihren Namen benutzen kann. Erlauben Sie es nur, wenn Sie sie gerade selbst gestartet haben.',
  unverified: 'Den Namen hat die Anwendung selbst gewählt. Niemand hat ihn geprüft.',
  allow: 'Erlauben und anmelden',
  refuse: 'Ablehnen',
  problem: 'Diese Anmeldung kann nicht weitergehen',
  startAgain: 'Schließen Sie dieses Fenster und beginnen Sie in der Anwendung von vorn.',
};

export interface SpokenTexts {
  readonly language: string;
  readonly texts: ConsentTexts;
}

/** The texts in the first language of `Accept-Language` that there is, else in English. */
export function textsFor(acceptLanguage: string | null, more: Readonly<Record<string, Partial<ConsentTexts>>> = {}): SpokenTexts {
  const own: Readonly<Record<string, ConsentTexts>> = { en: english, de: german };
  for (const tag of preferred(acceptLanguage)) {
    for (const language of [tag, tag.split('-')[0] ?? '']) {
      const base = Object.hasOwn(own, language) ? own[language] : undefined;
      const added = Object.hasOwn(more, language) ? more[language] : undefined;
      if (base !== undefined || added !== undefined) return { language, texts: { ...english, ...base, ...added } };
    }
  }
  return { language: 'en', texts: { ...english, ...more['en'] } };
}

const MOST_LANGUAGES = 10;

function preferred(acceptLanguage: string | null): readonly string[] {
  return (acceptLanguage ?? '')
    .split(',', MOST_LANGUAGES)
    .map((entry) => {
      const [tag = '', weight = 'q=1'] = entry.trim().toLowerCase().split(';');
      return { tag: tag.trim(), weight: Number(weight.trim().replace(/^q=/, '')) };
    })
    .filter(({ tag, weight }) => /^[a-z]{2,3}(-[a-z0-9]+)*$/.test(tag) && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}
