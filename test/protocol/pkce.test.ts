import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createAttemptSecrets } from '../../src/protocol/pkce.ts';

it('makes an S256 challenge of its verifier, as long as RFC 7636 asks for (AUT-01)', async () => {
  const { verifier, codeChallenge } = await createAttemptSecrets();
  expect(verifier).toMatch(/^[A-Za-z0-9\-._~]{43,128}$/);
  expect(codeChallenge).toBe(createHash('sha256').update(verifier).digest('base64url'));
});

it('draws state and verifier anew for every attempt, 256 bits each (AUT-01)', async () => {
  const drawn = await Promise.all(Array.from({ length: 50 }, () => createAttemptSecrets()));
  const texts = drawn.flatMap(({ verifier, state }) => [verifier, state]);
  expect(new Set(texts).size).toBe(100);
  for (const text of texts) expect(Buffer.from(text, 'base64url')).toHaveLength(32);
});

it('encodes every byte of the random source (AUT-01)', async () => {
  let next = 0xe0;
  const { verifier, state } = await createAttemptSecrets((bytes) => bytes.map(() => next++ & 0xff));
  expect([...Buffer.from(verifier, 'base64url')]).toEqual(Array.from({ length: 32 }, (_, index) => 0xe0 + index));
  expect(verifier).toMatch(/^[\w-]+$/);
  expect([...Buffer.from(state, 'base64url')]).toEqual(Array.from({ length: 32 }, (_, index) => index));
});
