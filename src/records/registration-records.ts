/**
 * Client registrations, each under the issuer that made it and the redirect URIs
 * it was made for; never presented to another issuer (ISS-01). A client secret is
 * a vault entry of its own, written before the record that points to it.
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { TokenEndpointAuthMethod } from '../protocol/documents.ts';
import type { Store, StoredRecord } from '../stores/contract.ts';
import { createFormerRegistrations, type FormerClient } from './former-registrations.ts';
import { digest, recordKey, type VaultPlace } from './keys.ts';
import { recordOf, recordsWithSecret } from './record-with-secret.ts';

/** What is known of a registered client: plain JSON without any secret. */
export interface RegistrationFacts {
  readonly issuer: string;
  readonly clientId: string;
  /** Registered by authchart, or entered by the user. */
  readonly source: 'dynamic' | 'provided';
  readonly authMethod: TokenEndpointAuthMethod;
  /** As registered: a loopback redirect URI with the port it had then (REG-05). */
  readonly redirectUris: readonly string[];
  readonly applicationType?: 'native' | 'web';
  /** Scopes it was registered with; absent: none were named, and none are ruled out. */
  readonly scopes?: readonly string[];
  readonly hasSecret: boolean;
  readonly secretExpiresAtEpochSeconds?: number;
  readonly registeredAtEpochSeconds: number;
  /** Opaque; changes with every save. */
  readonly version: string;
}

export interface RegistrationRecords {
  /**
   * The registration at `issuer` for this redirect set: the `redirect_uris` of the
   * client metadata, in any order. A registration whose secret the vault has lost
   * is useless and counts as none.
   */
  find(
    issuer: string,
    redirectSet: readonly string[],
  ): Promise<{ readonly facts: RegistrationFacts; readonly clientSecret?: string } | undefined>;
  /** A confidential client whose registration was replaced by one for other scopes. */
  findFormer(issuer: string, redirectSet: readonly string[], clientId: string): Promise<FormerClient | undefined>;
  /**
   * Stores a registration and returns the one that is then in force. With `basedOn`
   * (the version it replaces, `null` for none) that may be another process's, which
   * was quicker: adopt it. Left out, whatever is there is replaced.
   */
  save(
    facts: Omit<RegistrationFacts, 'version' | 'hasSecret'>,
    options: {
      readonly redirectSet: readonly string[];
      readonly clientSecret?: string | undefined;
      readonly basedOn?: string | null | undefined;
    },
  ): Promise<RegistrationFacts>;
  /** With `clientId`, only that registration is forgotten, not one that has replaced it meanwhile (REG-06). */
  forget(issuer: string, redirectSet: readonly string[], options?: { readonly clientId?: string }): Promise<void>;
}

const registrationFacts = z.object({
  issuer: z.string(),
  clientId: z.string(),
  source: z.enum(['dynamic', 'provided']),
  authMethod: z.enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']),
  redirectUris: z.array(z.string()),
  applicationType: z.exactOptional(z.enum(['native', 'web'])),
  scopes: z.exactOptional(z.array(z.string())),
  hasSecret: z.boolean(),
  secretExpiresAtEpochSeconds: z.exactOptional(z.number()),
  registeredAtEpochSeconds: z.number(),
});
const registrationRecord = recordOf(registrationFacts);
const secretEntry = z.object({ clientSecret: z.string() });
const anyClient = z.object({ facts: z.object({ clientId: z.string() }) });

export function createRegistrationRecords(o: {
  readonly store: Store;
  /** Where client secrets go; may be the same store. */
  readonly vault: Store;
}): RegistrationRecords {
  const records = recordsWithSecret<Omit<RegistrationFacts, 'version'>, { readonly clientSecret: string }>({
    store: o.store,
    vault: o.vault,
    kind: 'registration',
    record: registrationRecord,
    secret: secretEntry,
  });

  const former = createFormerRegistrations(o);

  const find: RegistrationRecords['find'] = async (issuer, redirectSet) => {
    const pair = await records.read(await keyOf(issuer, redirectSet), placeOf(issuer));
    if (pair === undefined) return undefined;
    checkIssuer(pair.facts, issuer);
    if (pair.secretLost || pair.facts.hasSecret !== (pair.secret !== undefined)) return undefined;
    return { facts: { ...pair.facts, version: pair.version }, ...pair.secret };
  };

  /** Before it is replaced: tokens that were issued to it are renewed with its secret. */
  const keepFormer = async ({ issuer, clientId }: { issuer: string; clientId: string }, redirectSet: readonly string[]): Promise<void> => {
    const before = await find(issuer, redirectSet);
    if (before?.clientSecret === undefined || before.facts.clientId === clientId) return;
    const { clientId: formerId, authMethod } = before.facts;
    await former.keep(issuer, await digestOfSet(redirectSet), { clientId: formerId, authMethod, clientSecret: before.clientSecret });
  };

  return {
    find,

    findFormer: async (issuer, redirectSet, clientId) => former.find(issuer, await digestOfSet(redirectSet), clientId),

    async save(facts, { redirectSet, clientSecret, basedOn }) {
      await keepFormer(facts, redirectSet);
      const kept = { ...facts, hasSecret: clientSecret !== undefined };
      const key = await keyOf(facts.issuer, redirectSet);
      const secret = clientSecret === undefined ? undefined : { clientSecret };
      const place = placeOf(facts.issuer);
      let result = await records.replace(key, kept, { secret, place, basedOn });
      // What it was to replace has been forgotten meanwhile: nothing stands in its way.
      if (!result.replaced && result.current === undefined) {
        result = await records.replace(key, kept, { secret, place, basedOn: undefined });
      }
      if (result.replaced) return { ...kept, version: result.version };
      if (result.current === undefined) throw new FailureError('store_failed', 'storage', { issuer: facts.issuer });
      return { ...result.current.facts, version: result.current.version };
    },

    async forget(issuer, redirectSet, { clientId } = {}) {
      const isMeant = ({ value }: StoredRecord): boolean =>
        clientId === undefined || anyClient.safeParse(value).data?.facts.clientId === clientId;
      await former.forget(issuer, await digestOfSet(redirectSet), clientId);
      await records.forget(await keyOf(issuer, redirectSet), placeOf(issuer), isMeant);
    },
  };
}

async function keyOf(issuer: string, redirectSet: readonly string[]): Promise<string> {
  return recordKey('registration', issuer, await digestOfSet(redirectSet));
}

// A digest, because redirect sets can be longer than the keys of some stores may be.
const digestOfSet = (redirectSet: readonly string[]): Promise<string> => digest(JSON.stringify([...new Set(redirectSet)].sort()));

const placeOf = (issuer: string): VaultPlace => ['client-secret', issuer];

/** ISS-01: a record that was moved to another issuer's key is not used. */
function checkIssuer(facts: { readonly issuer: string }, issuer: string): void {
  if (facts.issuer === issuer) return;
  throw new FailureError('record_unreadable', 'storage', { reason: 'The registration record names another issuer than its key.' });
}
