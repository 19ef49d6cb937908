/**
 * Credentials of one account at one resource, each under the issuer that issued
 * it (ISS-01). The record holds what may be seen; both tokens are one vault entry
 * and change in one atomic write (RFR-02, see `record-with-secret.ts`).
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { Store } from '../stores/contract.ts';
import { recordKey, type VaultPlace } from './keys.ts';
import { decodeRecord, RECORD_FORMAT } from './record-format.ts';
import { recordOf, recordsWithSecret } from './record-with-secret.ts';

/** What is known of a credential: plain JSON without any secret. */
export interface CredentialFacts {
  readonly issuer: string;
  readonly clientId: string;
  /** Scopes granted, as far as known (SCO-03). */
  readonly scopes: readonly string[];
  readonly requestedScopes: readonly string[];
  /** What was sent as `resource`, and is sent again with every refresh (RFR-06). */
  readonly resourceParameter?: string;
  /** The client proves itself by its identifier alone: no registration record is needed to refresh. */
  readonly publicClient?: boolean;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly expiresAtEpochSeconds?: number;
  /** There is a refresh token. */
  readonly refreshable: boolean;
  readonly obtainedAtEpochSeconds: number;
  /** Opaque; changes with every save. */
  readonly version: string;
}

/** Secret: never in context, events or logs. */
export interface CredentialTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
}

export type SaveResult =
  | { readonly saved: true; readonly facts: CredentialFacts }
  /** The credential had changed; `facts` is what is in force now, absent after a sign-out. */
  | { readonly saved: false; readonly facts: CredentialFacts | undefined };

export interface CredentialRecords {
  /** The issuer this account and resource are bound to. */
  boundIssuer(): Promise<string | undefined>;
  /** Throws `credentials_missing` when the vault lost what the record points to. */
  read(issuer: string): Promise<{ readonly facts: CredentialFacts; readonly tokens: CredentialTokens } | undefined>;
  /**
   * Stores a credential and binds the account to its issuer. `basedOn`: the version
   * the new tokens were made from, `null` if there was none; left out, whatever is
   * there is replaced. Rejects with `store_failed` if it could not be stored.
   */
  save(
    facts: Omit<CredentialFacts, 'version'>,
    tokens: CredentialTokens,
    options?: { readonly basedOn?: string | null | undefined },
  ): Promise<SaveResult>;
  /**
   * Deletes tokens and record, also a record that cannot be understood; may be repeated
   * after a failure. With `version`, only that credential: one that has replaced it
   * meanwhile stays (RFR-04).
   */
  forget(issuer: string, options?: { readonly version?: string }): Promise<void>;
  /**
   * Forgets the credentials of every issuer this account was ever bound to here,
   * those the resource has left included (OUT-01), and of `known`; then runs
   * `alsoForget` for each, and may be repeated after a failure of either.
   */
  forgetAll(known?: string, alsoForget?: (issuer: string) => Promise<void>): Promise<void>;
  /**
   * Calls `listener` after anyone has changed the binding, or the credential of this
   * issuer; returns how to stop. `undefined` where the store does not tell.
   */
  watch(issuer: string | undefined, listener: () => void): (() => void) | undefined;
}

const credentialFacts = z.object({
  issuer: z.string(),
  clientId: z.string(),
  scopes: z.array(z.string()),
  requestedScopes: z.array(z.string()),
  resourceParameter: z.exactOptional(z.string()),
  publicClient: z.exactOptional(z.boolean()),
  tokenType: z.enum(['Bearer', 'DPoP']),
  expiresAtEpochSeconds: z.exactOptional(z.number()),
  refreshable: z.boolean(),
  obtainedAtEpochSeconds: z.number(),
});
const credentialRecord = recordOf(credentialFacts);
const tokensEntry = z.object({ accessToken: z.string(), refreshToken: z.exactOptional(z.string()) });
/** `former`: issuers bound before, whose credentials stay until a sign-out (ISS-02). */
const bindingRecord = z.object({ issuer: z.exactOptional(z.string()), former: z.exactOptional(z.array(z.string())) });

/** A resource that names another issuer every day must not make the record grow for ever. */
const FORMER_ISSUERS = 32;

export function createCredentialRecords(o: {
  readonly store: Store;
  /** Where the tokens go; may be the same store. */
  readonly vault: Store;
  readonly resource: string;
  readonly account: string;
}): CredentialRecords {
  const { store, vault, resource, account } = o;
  const bindingKey = recordKey('binding', resource, account);
  const keyOf = (issuer: string): string => recordKey('credential', resource, account, issuer);
  const placeOf = (issuer: string): VaultPlace => ['tokens', resource, account, issuer];
  const records = recordsWithSecret<Omit<CredentialFacts, 'version'>, CredentialTokens>({
    store,
    vault,
    kind: 'credential',
    record: credentialRecord,
    secret: tokensEntry,
  });

  const readBinding = async (): Promise<z.output<typeof bindingRecord>> => {
    const record = await store.read(bindingKey);
    return record === undefined ? {} : decodeRecord('binding', bindingRecord, record);
  };

  const bind = async (issuer: string): Promise<void> => {
    const { issuer: before, former = [] } = await readBinding();
    if (before === issuer) return;
    const others = [...former, ...(before === undefined ? [] : [before])].filter((one) => one !== issuer);
    await store.write(bindingKey, { format: RECORD_FORMAT, issuer, former: [...new Set(others)].slice(-FORMER_ISSUERS) });
  };

  /** What was bound before stays known. */
  const unbind = async (issuer: string): Promise<void> => {
    const binding = await store.read(bindingKey);
    if (binding?.value['issuer'] !== issuer) return;
    const { former = [] } = decodeRecord('binding', bindingRecord, binding);
    if (former.length === 0) await store.delete(bindingKey, { expected: binding.version });
    else await store.write(bindingKey, { format: RECORD_FORMAT, former }, { expected: binding.version });
  };

  return {
    boundIssuer: async () => (await readBinding()).issuer,

    async read(issuer) {
      const pair = await records.read(keyOf(issuer), placeOf(issuer));
      if (pair === undefined) return undefined;
      checkIssuer(pair.facts, issuer);
      if (pair.secret === undefined) throw new FailureError('credentials_missing', 'storage', { issuer, resource });
      return { facts: { ...pair.facts, version: pair.version }, tokens: pair.secret };
    },

    async save(facts, tokens, { basedOn } = {}) {
      const { issuer } = facts;
      const replacesKnown = typeof basedOn === 'string';
      // Before its record: a process that dies in between must not leave tokens that neither the next one nor a sign-out finds. What
      // replaces a credential is found as that was, and binds nothing if the account has been signed out since.
      if (!replacesKnown) await bind(issuer);
      const result = await records.replace(keyOf(issuer), facts, {
        secret: tokens,
        place: placeOf(issuer),
        basedOn,
      });
      if (result.replaced) {
        if (replacesKnown) await bind(issuer);
        return { saved: true, facts: { ...facts, version: result.version } };
      }
      const { current } = result;
      return { saved: false, facts: current && { ...current.facts, version: current.version } };
    },

    async forget(issuer, { version } = {}) {
      await records.forget(keyOf(issuer), placeOf(issuer), (record) => version === undefined || version === record.version);
      if ((await store.read(keyOf(issuer))) !== undefined) return;
      await unbind(issuer);
    },

    async forgetAll(known, alsoForget) {
      if (known !== undefined) await records.forget(keyOf(known), placeOf(known));
      const binding = await store.read(bindingKey);
      const { issuer, former = [] } = binding === undefined ? {} : decodeRecord('binding', bindingRecord, binding);
      const issuers = [...new Set([...former, issuer, known])].filter((one) => one !== undefined);
      for (const one of issuers) await records.forget(keyOf(one), placeOf(one));
      for (const one of issuers) await alsoForget?.(one);
      // Last: after a failure, forgetting again still knows them all.
      if (binding !== undefined) await store.delete(bindingKey, { expected: binding.version });
    },

    watch(issuer, listener) {
      if (store.watch === undefined) return undefined;
      const keys = [bindingKey, ...(issuer === undefined ? [] : [keyOf(issuer)])];
      const stops = keys.map((key) => store.watch?.(key, listener));
      return () => {
        for (const stop of stops) stop?.();
      };
    },
  };
}

/** ISS-01: a record that was moved to another issuer's key is not used. */
function checkIssuer(facts: { readonly issuer: string }, issuer: string): void {
  if (facts.issuer === issuer) return;
  throw new FailureError('record_unreadable', 'storage', { reason: 'The credential record names another issuer than its key.' });
}
