/** Which language the pages of the gateway speak. Further languages, or other words, come from the configuration. */
import { type PageTexts, TRANSLATIONS } from './consent-translations.ts';
import type { ConsentTexts } from './gateway-options.ts';

export interface SpokenTexts {
  /** A language tag, in small letters. */
  readonly language: string;
  readonly texts: ConsentTexts;
  /**
   * Why a sign-in cannot go on or begin: by what the endpoint says about it in English, or by the error code of OAuth that
   * goes to the client. `undefined`: there are no words for it in this language.
   */
  inWords(reason: string, error?: string): string | undefined;
}

/** The texts in the first language of `Accept-Language` that there is, else in English. */
export function textsFor(acceptLanguage: string | null, more: Readonly<Record<string, Partial<ConsentTexts>>> = {}): SpokenTexts {
  const added = new Map(Object.entries(more).map(([tag, texts]) => [tag.toLowerCase(), texts]));
  for (const tag of preferred(acceptLanguage)) {
    for (const language of [tag, primaryOf(tag)]) {
      if (TRANSLATIONS.has(language) || added.has(language)) return spoken(language, added.get(language));
    }
  }
  return spoken('en', added.get('en'));
}

function spoken(language: string, added: Partial<ConsentTexts> = {}): SpokenTexts {
  // Words of one's own for `pt-BR` stand beside ours for `pt`.
  const ours = TRANSLATIONS.get(language) ?? TRANSLATIONS.get(primaryOf(language));
  const { ended, elsewhere, answered, malformed, notOffered, busy, ...texts }: PageTexts = { ...ENGLISH, ...ours, ...added };
  const reasons = { ...by(ENDED, ended), ...by(ELSEWHERE, elsewhere), ...by(ANSWERED, answered) };
  const ofError = (error: string): string => (error === BUSY ? busy : NOT_OFFERED.has(error) ? notOffered : malformed);
  return {
    language,
    texts,
    // What we have no words for is said as the endpoint says it, in English.
    inWords: (reason, error) => (ours === undefined ? undefined : (reasons[reason] ?? (error && ofError(error)))),
  };
}

const primaryOf = (tag: string): string => tag.split('-')[0] ?? '';

const ENGLISH = TRANSLATIONS.get('en') as PageTexts;

const ENDED = ['It has ended, or took too long.', 'It took too long.', 'Nothing is waiting for this answer.'];
const ELSEWHERE = ['It was begun in another browser, or by another page.', 'It was begun in another browser, or has ended.'];
const ANSWERED = ['It was answered already.'];

/** Errors of an authorization request; all others say that it is not in order. */
const BUSY = 'temporarily_unavailable';
const NOT_OFFERED: ReadonlySet<string> = new Set([
  'interaction_required', 'invalid_scope', 'invalid_target', 'request_not_supported', 'request_uri_not_supported',
  'unsupported_response_type',
]); // biome-ignore format: a table

const by = (sentences: readonly string[], text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(sentences.map((sentence) => [sentence, text]));

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
