/**
 * What a 401 or 403 asks for: `WWW-Authenticate` of RFC 9110 section 11.6.1 with
 * the parameters of RFC 6750 section 3 and RFC 9728 section 5.1 (CHA-01, CHA-02).
 *
 * A scanner and not a regular expression over the whole header: a parameter name
 * inside another parameter's quoted text (an error description that quotes the
 * user's input, say) is text and not a parameter.
 */
import type { ChallengeFacts } from './documents.ts';
import { isScopeToken } from './scope-token.ts';
import { serverText } from './server-text.ts';

export interface ParsedChallenge {
  /** As the server wrote it; schemes are compared without case. */
  readonly scheme: string;
  readonly token68?: string;
  /** By lower-case name; of a name given twice the first counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Node gives up on headers of 16 KiB; an injected fetch may not. */
const LONGEST_HEADER_CHARACTERS = 16_384;
const LONGEST_URL_CHARACTERS = 2048;
const LONGEST_ERROR_CODE_CHARACTERS = 64;

// Sticky: each matches at the scanner's place or not at all.
const BETWEEN = /[\s,]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const EQUALS = /\s*=\s*/y;
const TOKEN68 = /\s+([A-Za-z0-9\-._~+/]+=*)\s*(?=,|$)/y;
/** Text in quotes; RFC 9110 allows a line break by folding only, which no fetch hands on. */
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"/y;
/** RFC 9110 wants a token; URLs without quotes are met in the wild and cannot be misread. */
const UNQUOTED = /[^\s,"]+/y;

/**
 * Every challenge of a header value in its order; several header lines arrive
 * joined by commas. What is malformed is left out, what follows it is still read,
 * and nothing is thrown.
 */
export function parseChallenges(value: string): readonly ParsedChallenge[] {
  const scanner = new Scanner(value.slice(0, LONGEST_HEADER_CHARACTERS));
  const challenges: (ParsedChallenge & { readonly parameters: Map<string, string> })[] = [];
  for (;;) {
    scanner.match(BETWEEN);
    if (scanner.isAtEnd) return challenges;
    const name = scanner.match(TOKEN)?.[0];
    if (name === undefined) {
      scanner.skipGarbage();
    } else if (scanner.match(EQUALS) !== null) {
      const text = scanner.value();
      const parameters = challenges.at(-1)?.parameters;
      if (text !== undefined && parameters?.has(name.toLowerCase()) === false) parameters.set(name.toLowerCase(), text);
    } else {
      const token68 = scanner.match(TOKEN68)?.[1];
      challenges.push({ scheme: name, parameters: new Map(), ...(token68 !== undefined && { token68 }) });
    }
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Steps over what matches here; stays where nothing does. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  /** The value after `=`, in quotes or not. */
  value(): string | undefined {
    const quoted = this.match(QUOTED)?.[1];
    if (quoted !== undefined) return quoted.replace(/\\([\s\S])/g, '$1');
    return this.#endsInsideQuotes() ? undefined : this.match(UNQUOTED)?.[0];
  }

  /** A stray quote begins text, whose content must not be read as parameters; anything else is one character. */
  skipGarbage(): void {
    if (this.match(QUOTED) === null && !this.#endsInsideQuotes()) this.#at += 1;
  }

  /** A quote that never ends swallows the rest: nothing after it can be told from text. */
  #endsInsideQuotes(): boolean {
    if (this.#text[this.#at] !== '"') return false;
    this.#at = this.#text.length;
    return true;
  }
}

/**
 * What the Bearer challenge of a response says, or the DPoP challenge where there
 * is no Bearer one (CHA-02). Of several with the same scheme each fact is taken
 * from the first that states it, since gateways put one of their own in front.
 *
 * @param sentToken the access token of the request: some resources repeat it in
 *   their challenge, which is kept in checkpoints (SEC-01)
 * @returns `undefined` if there is none: discovery then starts at the well-known
 *   URIs (CHA-03)
 */
export function challengeFacts(headers: Headers, sentToken?: string): ChallengeFacts | undefined {
  const value = headers.get('www-authenticate');
  if (value === null) return undefined;
  const all = parseChallenges(value);
  for (const scheme of ['Bearer', 'DPoP'] as const) {
    const ours = all.filter((challenge) => challenge.scheme.toLowerCase() === scheme.toLowerCase());
    if (ours.length > 0) return factsOf(scheme, ours, sentToken === undefined ? [] : [sentToken]);
  }
  return undefined;
}

function factsOf(scheme: 'Bearer' | 'DPoP', challenges: readonly ParsedChallenge[], secrets: readonly string[]): ChallengeFacts {
  const first = (name: string, longest?: number): string | undefined => {
    for (const { parameters } of challenges) {
      const text = serverText(parameters.get(name), longest, secrets);
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const resourceMetadataUrl = first('resource_metadata', LONGEST_URL_CHARACTERS);
  const scopes = scopeTokens(first('scope', LONGEST_HEADER_CHARACTERS) ?? '');
  const error = first('error', LONGEST_ERROR_CODE_CHARACTERS);
  const errorDescription = first('error_description');
  return {
    scheme,
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
    ...(scopes.length > 0 && { scopes }),
    ...(error !== undefined && { error }),
    ...(errorDescription !== undefined && { errorDescription }),
  };
}

function scopeTokens(scope: string): readonly string[] {
  return [...new Set(scope.split(' ').filter(isScopeToken))];
}
