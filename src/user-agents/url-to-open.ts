/**
 * What is given to a browser to open (SEC-06). The URL comes from a server;
 * authorization endpoints have been used to run commands on users' machines and
 * scripts in their pages, so it is parsed, checked and written anew.
 */
import { FailureError } from '../failure.ts';

// The parser leaves these as they are in some parts of a URL. All of them mean
// something to one command line or another, none of them to a server.
const CHARACTERS_TO_ENCODE = /["'`<>|\\^{}\s]/g;

/** The URL written anew; throws `url_refused` for anything but a plain http(s) URL. */
export function urlToOpen(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) throw refused('It cannot be parsed.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('It is not an http or https URL.');
  // `https://bank.example@elsewhere.example` is there to deceive whoever reads it.
  if (url.username !== '' || url.password !== '') throw refused('It contains user information.');
  return url.href.replace(CHARACTERS_TO_ENCODE, (character) => `%${hexadecimal(character)}`);
}

function refused(reason: string): FailureError {
  return new FailureError('url_refused', 'authorization', { reason: `The authorization URL is not opened. ${reason}` });
}

function hexadecimal(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}
