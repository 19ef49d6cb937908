/** A key that a gateway signs with, or proves itself by. */
import { exportJWK, generateKeyPair } from 'jose';
import type { SigningKey } from '../../src/gateway/oauth/gateway-options.ts';

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg } as SigningKey;
}
