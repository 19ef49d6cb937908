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
  const header = value.slice(0, LONGEST_HEADER_CHARACTERS);
  const challenges: { scheme: string; token68?: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };

  for (;;) {
    match(BETWEEN);
    if (at >= header.length) return challenges;
    const name = match(TOKEN)?.[0];
    if (name === undefined) {
      // A stray quote begins text, not a name: its content must not be read as parameters.
      if (match(QUOTED) === null) {
        if (header[at] === '"') return challenges;
        at += 1;
      }
      continue;
    }
    if (match(EQUALS) !== null) {
      const quoted = match(QUOTED);
      // A quote that never ends has swallowed the rest: nothing after it can be told from text.
      if (quoted === null && header[at] === '"') return challenges;
      const text = quoted === null ? match(UNQUOTED)?.[0] : quoted[1]?.replace(/\\([\s\S])/g, '$1');
      const parameters = challenges.at(-1)?.parameters;
      if (text !== undefined && parameters !== undefined && !parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), text);
      continue;
    }
    const token68 = match(TOKEN68)?.[1];
    challenges.push({ scheme: name, parameters: new Map(), ...(token68 === undefined ? {} : { token68 }) });
  }
}

/**
 * What the Bearer challenge of a response says, or the DPoP challenge where there
 * is no Bearer one (CHA-02). Of several with the same scheme each fact is taken
 * from the first that states it, since gateways put one of their own in front.
 *
 * @returns `undefined` if there is none: discovery then starts at the well-known
 *   URIs (CHA-03)
 */
export function challengeFacts(headers: Headers): ChallengeFacts | undefined {
  const value = headers.get('www-authenticate');
  if (value === null) return undefined;
  const all = parseChallenges(value);
  for (const scheme of ['Bearer', 'DPoP'] as const) {
    const ours = all.filter((challenge) => challenge.scheme.toLowerCase() === scheme.toLowerCase());
    if (ours.length > 0) return factsOf(scheme, ours);
  }
  return undefined;
}

function factsOf(scheme: 'Bearer' | 'DPoP', challenges: readonly ParsedChallenge[]): ChallengeFacts {
  const first = (name: string, longest?: number): string | undefined => {
    for (const { parameters } of challenges) {
      const text = serverText(parameters.get(name), longest);
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
    ...(resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(error === undefined ? {} : { error }),
    ...(errorDescription === undefined ? {} : { errorDescription }),
  };
}

function scopeTokens(scope: string): readonly string[] {
  return [...new Set(scope.split(' ').filter(isScopeToken))];
}
