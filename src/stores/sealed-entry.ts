/**
 * One sealed value: a JWE (RFC 7516) in compact serialisation. Every entry gets a
 * content key of its own (A256GCM), wrapped with a key of the ring (A256KW), so that
 * no key of the ring meets the limit of random nonces under one AES-GCM key. The
 * protected header names the key (`kid`); the record's key is sealed with the value,
 * so that an entry put under another key is told from one that belongs there.
 */
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, errors } from 'jose';
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { JsonObject } from './contract.ts';
import { jsonText } from './json-text.ts';
import { isKeyId, type KeyRing } from './sealing-keys.ts';

const FORMAT = 1;
const ALGORITHMS = { alg: 'A256KW', enc: 'A256GCM' } as const;

const stored = z.object({ sealed: z.number(), jwe: z.exactOptional(z.string()) });
// Strict: a header that asks for more (compression, extensions) is not one of ours.
const header = z.strictObject({ alg: z.literal('A256KW'), enc: z.literal('A256GCM'), kid: z.string() });
const content = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });

/** What is put into the store in place of `value`. */
export async function seal(ring: KeyRing, key: string, value: JsonObject): Promise<JsonObject> {
  const plaintext = new TextEncoder().encode(jsonText({ key, value }));
  const { keyId, key: wrappingKey } = await ring.current();
  const jwe = await new CompactEncrypt(plaintext).setProtectedHeader({ ...ALGORITHMS, kid: keyId }).encrypt(wrappingKey);
  return { sealed: FORMAT, jwe };
}

/**
 * The value again. Rejects with `vault_key_unknown` if the ring lacks the key, `vault_key_wrong`
 * if the entry does not open with it, `record_unreadable` if it is not a sealed entry of this record.
 */
export async function unseal(ring: KeyRing, key: string, entry: JsonObject): Promise<JsonObject> {
  const { jwe, keyId } = readEntry(entry);
  if (!isKeyId(keyId)) throw new FailureError('vault_key_unknown', 'storage');
  const wrappingKey = await ring.find(keyId);
  if (wrappingKey === undefined) throw new FailureError('vault_key_unknown', 'storage', { reason: `Its key identifier is ${keyId}.` });
  const opened = content.safeParse(await decrypted(jwe, wrappingKey, keyId));
  if (!opened.success) throw unreadable('It does not hold what is sealed here.');
  if (opened.data.key !== key) throw unreadable('It was sealed for another record and moved here.');
  return opened.data.value as JsonObject;
}

function readEntry(entry: JsonObject): { readonly jwe: string; readonly keyId: string } {
  const { data } = stored.safeParse(entry);
  if (data === undefined) throw unreadable('It is not sealed.');
  if (data.sealed > FORMAT) throw newer(`It is sealed in format ${data.sealed}; this version of authchart knows ${FORMAT}.`);
  if (data.sealed !== FORMAT || data.jwe === undefined) throw unreadable('It is not sealed.');
  const named = header.safeParse(headerOf(data.jwe));
  if (!named.success) throw unreadable('Its header is not that of a sealed entry.');
  return { jwe: data.jwe, keyId: named.data.kid };
}

function headerOf(jwe: string): unknown {
  try {
    return decodeProtectedHeader(jwe);
  } catch {
    return undefined;
  }
}

async function decrypted(jwe: string, wrappingKey: CryptoKey, keyId: string): Promise<unknown> {
  try {
    const { plaintext } = await compactDecrypt(jwe, wrappingKey, {
      keyManagementAlgorithms: [ALGORITHMS.alg],
      contentEncryptionAlgorithms: [ALGORITHMS.enc],
    });
    return JSON.parse(new TextDecoder().decode(plaintext));
  } catch (thrown) {
    // A wrong key and a changed text look alike on purpose.
    if (!(thrown instanceof errors.JWEDecryptionFailed)) throw unreadable('It is not whole.');
    throw new FailureError('vault_key_wrong', 'storage', { reason: `Its key identifier is ${keyId}.` });
  }
}

function unreadable(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason });
}

function newer(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason, isNewer: true });
}
