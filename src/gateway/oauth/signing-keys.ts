/** The gateway's private keys: imported, tried, and told as mistakes of the configuration where they are none. */
import { CompactSign, compactVerify, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { FailureError } from '../../failure.ts';
import { when } from '../../misconfigured.ts';
import type { GatewayOptions, SigningKey } from './gateway-options.ts';
import { isSigningKey } from './option-problems.ts';

export interface UsableKey {
  readonly keyId: string;
  readonly algorithm: string;
  readonly sign: CryptoKey;
  readonly verify: CryptoKey;
  /** The public half, as others get it. */
  readonly published: JWK;
}

/** @param given `undefined`: an ES256 key of this process. @throws FailureError `invalid_configuration` if one cannot be used */
export async function loadSigningKeys(given: readonly SigningKey[] | undefined): Promise<readonly UsableKey[]> {
  if (given === undefined) {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const published = { ...(await exportJWK(publicKey)), kid: 'process', alg: 'ES256', use: 'sig' };
    return [{ keyId: 'process', algorithm: 'ES256', sign: privateKey, verify: publicKey, published }];
  }
  const loaded = await Promise.all(given.map(usable));
  if (loaded.every((key) => key !== undefined)) return loaded;
  throw unusable(problemsOfSigningKeys(loaded));
}

/** @throws FailureError `invalid_configuration` if it cannot be used */
export async function loadClientKey(given: SigningKey): Promise<UsableKey> {
  const loaded = await usable(given);
  if (loaded === undefined) throw unusable([CLIENT_KEY_PROBLEM]);
  return loaded;
}

/** What only trying the keys shows; `problemsOfGatewayOptions` tells of those that have no right form. */
export async function problemsOfKeys({ tokens, upstream }: GatewayOptions): Promise<readonly string[]> {
  const tried = (key: SigningKey): Promise<UsableKey | undefined> | 'not in form' => (isSigningKey(key) ? usable(key) : 'not in form');
  const clientKey = upstream.clientKey === undefined ? 'none' : await tried(upstream.clientKey);
  return [
    ...when(clientKey === undefined, CLIENT_KEY_PROBLEM),
    ...problemsOfSigningKeys(await Promise.all((tokens?.signingKeys ?? []).map(tried))),
  ];
}

const CLIENT_KEY_PROBLEM = '`upstream.clientKey` is no private key of its `alg`.';

/** By their number: nothing of a key is quoted. */
const problemsOfSigningKeys = (loaded: readonly unknown[]): readonly string[] =>
  loaded.flatMap((key, index) =>
    key === undefined
      ? [`\`tokens.signingKeys\` has a signing key that cannot be used: number ${index + 1} is no private key of its \`alg\`.`]
      : [],
  );

const unusable = (problems: readonly string[]): FailureError =>
  new FailureError('invalid_configuration', 'configuration', { problems, reason: problems.join(' ') });

/** `undefined` without what the importer says: it may quote the key. */
async function usable(key: SigningKey): Promise<UsableKey | undefined> {
  try {
    const { kty, crv, x, y, n, e, kid: keyId, alg: algorithm } = key as JWK & SigningKey;
    // By name, so that no private member is ever published.
    const published = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid: keyId, alg: algorithm, use: 'sig' })) as JWK;
    const [sign, verify] = (await Promise.all([importJWK(key as JWK, algorithm), importJWK(published, algorithm)])) as CryptoKey[];
    if (sign === undefined || verify === undefined) return undefined;
    // Importers do not see all that is wrong: a modulus that is too short, the public half of another key.
    const signed = await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg: algorithm }).sign(sign);
    await compactVerify(signed, verify, { algorithms: [algorithm] });
    return { keyId, algorithm, sign, verify, published };
  } catch {
    return undefined;
  }
}
