/**
 * The secrets of one attempt: the PKCE code verifier with its S256 challenge
 * (RFC 7636 sections 4.1 and 4.2) and `state` (RFC 6749 section 10.12), fresh for
 * every attempt (AUT-01). `plain` is left out: no server may need it (MCP,
 * authorization code protection).
 */
import { calculatePKCECodeChallenge } from 'oauth4webapi';

export interface NewAttemptSecrets {
  /** 43 characters from 256 random bits; secret until it is sent with the code. */
  readonly verifier: string;
  /** S256 of the verifier; public. */
  readonly codeChallenge: string;
  /** 43 characters from 256 random bits. */
  readonly state: string;
}

export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const RANDOM_BYTES = 32;

export async function createAttemptSecrets(random: FillRandom = (bytes) => crypto.getRandomValues(bytes)): Promise<NewAttemptSecrets> {
  const verifier = randomText(random);
  return { verifier, codeChallenge: await calculatePKCECodeChallenge(verifier), state: randomText(random) };
}

function randomText(random: FillRandom): string {
  const bytes = random(new Uint8Array(RANDOM_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
