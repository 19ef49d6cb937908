/**
 * Makes a callback URL of what a user pasted. The callback must prove its state
 * (AUT-05): a bare code could be anybody's, so it is refused, kindly.
 */

export type Pasted =
  | { readonly kind: 'empty' }
  | { readonly kind: 'callback'; readonly callbackUrl: string }
  /** `why` is for the user and repeats nothing of what was pasted. */
  | { readonly kind: 'refused'; readonly why: string };

/** Nobody types more; a page pasted by mistake is not worth parsing. */
const PASTED_CHARACTERS = 16_384;

/**
 * Takes the whole redirected URL, its query alone, or `code#state` as some
 * servers show it. `redirectUri` is the one that was sent.
 */
export function readPasted(text: string, redirectUri: string): Pasted {
  const pasted = text.trim().replace(/^["'<]+|[>"']+$/g, '');
  if (pasted === '') return { kind: 'empty' };
  if (pasted.length > PASTED_CHARACTERS) return refused('That is too long to be the address of a callback.');
  if (/\s/.test(pasted)) return refused('That holds spaces; the address of a callback has none.');

  const query = URL.canParse(pasted) ? queryOfUrl(pasted, redirectUri) : queryOfText(pasted);
  if (typeof query !== 'string') return query;
  const parameters = new URLSearchParams(query);
  if (!parameters.has('code') && !parameters.has('error')) {
    return refused('That holds neither a code nor an error. Copy the address after you have approved.');
  }
  if (!parameters.has('state')) return refused(STATE_MISSING);
  const callback = new URL(redirectUri);
  callback.search = query;
  return { kind: 'callback', callbackUrl: callback.href };
}

const STATE_MISSING =
  'The code alone is not enough: without the state beside it nobody can tell whether the code belongs to you. Paste the whole address, or code#state.';

function queryOfUrl(pasted: string, redirectUri: string): string | Pasted {
  const url = new URL(pasted);
  const expected = new URL(redirectUri);
  if (url.origin !== expected.origin || url.pathname !== expected.pathname) {
    return refused(`That is another address than the one to copy, which begins with ${redirectUri}`);
  }
  return url.search;
}

function queryOfText(pasted: string): string | Pasted {
  if (/(?:^\??|&)(?:code|error)=/.test(pasted)) return pasted.replace(/^\??/, '?');
  const [code = '', state = '', ...rest] = pasted.split('#');
  if (code === '' || state === '' || rest.length > 0) return refused(STATE_MISSING);
  return `?${new URLSearchParams({ code, state })}`;
}

function refused(why: string): Pasted {
  return { kind: 'refused', why };
}
