/** The keys that replicas share: made by `authchart gateway keys`, read by `--keys-file`. */
import * as z from 'zod/mini';
import type { SigningKey } from '../../gateway/oauth/gateway-options.ts';
import type { SealingKeys } from '../../stores/sealing-keys.ts';

const file = z.strictObject({
  /** The first seals; the others open what was sealed before. 32 bytes each, as base64url. */
  sealing: z.array(z.strictObject({ id: z.string(), key: z.string().check(z.regex(/^[\w-]{43}$/)) })).check(z.minLength(1)),
  /** Binds MCP sessions to their callers. 32 bytes, as base64url. */
  session: z.string().check(z.regex(/^[\w-]{43}$/)),
  /** The first signs; all are published. Private keys as JWK. */
  signing: z.array(z.looseObject({ kid: z.string(), alg: z.string(), kty: z.string(), d: z.string() })),
});

export interface GatewayKeys {
  readonly sealingKeys: SealingKeys;
  readonly signingKeys: readonly SigningKey[];
  readonly sessionKey: Uint8Array;
}

/** Nothing of the file is quoted in a problem. */
export function readKeysFile(text: string | undefined, label: string, complain: (problem: string) => undefined): GatewayKeys | undefined {
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return complain(`${label} names a file that is no JSON; \`authchart gateway keys\` writes one.`);
  }
  const read = file.safeParse(parsed);
  if (!read.success) {
    return complain(`${label} names a file that holds other things than keys; \`authchart gateway keys\` writes one.`);
  }
  const { sealing, signing, session } = read.data;
  const isTwice = [sealing.map(({ id }) => id), signing.map(({ kid }) => kid)].some((names) => new Set(names).size < names.length);
  if (isTwice) return complain(`${label} names a file in which two keys have one name: one of them would open nothing.`);
  const keys = Object.fromEntries(sealing.map(({ id, key }) => [id, bytesOf(key)]));
  return {
    sealingKeys: { keys, current: sealing[0]?.id ?? '' },
    signingKeys: signing as unknown as readonly SigningKey[],
    sessionKey: bytesOf(session),
  };
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

/** Fresh keys as the text of a file: one that seals, one of ES256 that signs. Secret. */
export async function makeKeysFile(nowEpochMs: number): Promise<string> {
  const id = `${new Date(nowEpochMs).toISOString().slice(0, 10)}-${crypto.randomUUID().slice(0, 8)}`;
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  const random = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  const keys = { sealing: [{ id, key: random() }], session: random(), signing: [{ kid: id, alg: 'ES256', kty, crv, x, y, d }] };
  return `${JSON.stringify(keys, undefined, 2)}\n`;
}
