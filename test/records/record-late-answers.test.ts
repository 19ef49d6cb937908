/** Answers of the store that come late: what they say of a record is older than what was done to it meanwhile. */
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { createCredentialRecords } from '../../src/records/credential-records.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { settled } from '../helpers/simulated-clock.ts';

const issuer = 'https://login.example.com';
const facts = {
  issuer,
  clientId: 'client',
  scopes: [],
  requestedScopes: [],
  tokenType: 'Bearer',
  refreshable: true,
  obtainedAtEpochSeconds: 1,
} as const;
const tokens = (n: number) => ({ accessToken: `access ${n}`, refreshToken: `refresh ${n}` });

/** A store that holds back what it says of a credential, or loses it, as a test says. */
function unreliable() {
  const store = memoryStore();
  const isCredential = (key: string): boolean => key.startsWith('credential/');
  let held: Promise<void> | undefined;
  let loses: 'before' | 'after' | undefined;
  return {
    store: {
      ...store,
      async read(key) {
        const found = await store.read(key);
        const answered = isCredential(key) ? held : undefined;
        if (answered !== undefined) held = undefined;
        await answered;
        return found;
      },
      async write(key, value, options) {
        const lost = isCredential(key) ? loses : undefined;
        if (lost === 'before') throw new FailureError('store_failed', 'storage');
        const answer = await store.write(key, value, options);
        if (lost === 'after') throw new FailureError('store_failed', 'storage');
        return answer;
      },
    } satisfies Store,
    /** Of the next read; returns how to let it come. */
    holdAnswer() {
      let release = (): void => {};
      held = new Promise<void>((resolve) => {
        release = resolve;
      });
      return release;
    },
    loseWrites(when: 'before' | 'after' | undefined) {
      loses = when;
    },
  };
}

describe.each([
  ['and was not carried out', 'before', 2],
  ['and was carried out', 'after', 3],
] as const)('a read that is answered after a later write has lost its answer %s', (_, when, inForce) => {
  it('leaves the tokens in force where they are (RFR-02)', async () => {
    const { store, holdAnswer, loseWrites } = unreliable();
    const credentials = createCredentialRecords({ store, vault: memoryStore(), resource: 'https://mcp.example.com', account: 'default' });
    await credentials.save(facts, tokens(1));
    const answer = holdAnswer();
    const reading = credentials.read(issuer);
    await settled();
    const second = await credentials.save(facts, tokens(2));
    loseWrites(when);
    await expect(credentials.save(facts, tokens(3), { basedOn: second.facts?.version })).rejects.toThrow();
    loseWrites(undefined);
    answer();
    await reading;
    expect((await credentials.read(issuer))?.tokens).toEqual(tokens(inForce));
  });
});
