/**
 * Confidential clients whose registration was replaced by a wider one (REG-05). Tokens
 * that were issued to such a client are renewed with its secret, for months: what is
 * replaced is no longer used for logins, but not forgotten (RFC 6749 section 6).
 */
import * as z from 'zod/mini';
import { FailureError, failureOf } from '../failure.ts';
import type { TokenEndpointAuthMethod } from '../protocol/documents.ts';
import type { Store } from '../stores/contract.ts';
import { recordKey, type VaultPlace } from './keys.ts';
import { recordOf, recordsWithSecret } from './record-with-secret.ts';

export interface FormerClient {
  readonly clientId: string;
  readonly authMethod: TokenEndpointAuthMethod;
  readonly clientSecret: string;
}

interface FormerRegistrations {
  find(issuer: string, redirectSet: string, clientId: string): Promise<FormerClient | undefined>;
  keep(issuer: string, redirectSet: string, client: FormerClient): Promise<void>;
  /** Without `clientId`: all of them. */
  forget(issuer: string, redirectSet: string, clientId?: string): Promise<void>;
}

/** A resource that asks for another scope every day must not make the record grow for ever. */
const MOST_KEPT = 8;
const ROUNDS = 10;

const formerRecord = recordOf(z.object({ issuer: z.string() }));
const clientsEntry = z.object({
  clients: z.array(
    z.object({
      clientId: z.string(),
      authMethod: z.enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']),
      clientSecret: z.string(),
    }),
  ),
});

export function createFormerRegistrations(o: { readonly store: Store; readonly vault: Store }): FormerRegistrations {
  const records = recordsWithSecret<{ readonly issuer: string }, { readonly clients: readonly FormerClient[] }>({
    store: o.store,
    vault: o.vault,
    kind: 'former registrations',
    record: formerRecord,
    secret: clientsEntry as z.ZodMiniType<{ readonly clients: readonly FormerClient[] }>,
  });
  const keyOf = (issuer: string, redirectSet: string): string => recordKey('former-registrations', issuer, redirectSet);
  const placeOf = (issuer: string): VaultPlace => ['former-client-secrets', issuer];

  const read = async (issuer: string, redirectSet: string) => {
    const pair = await records.read(keyOf(issuer, redirectSet), placeOf(issuer));
    // ISS-01: a record that was moved to another issuer's key is not used.
    if (pair !== undefined && pair.facts.issuer !== issuer) {
      throw new FailureError('record_unreadable', 'storage', { reason: 'The record of former registrations names another issuer.' });
    }
    return { version: pair?.version ?? null, clients: pair?.secret?.clients ?? [] };
  };

  /** A damaged record, which nobody can read, must not keep anyone from registering. A newer one is somebody's (STO-05). */
  const readable: typeof read = async (issuer, redirectSet) => {
    try {
      return await read(issuer, redirectSet);
    } catch (thrown) {
      const { code, details } = failureOf(thrown, 'storage');
      if (code !== 'record_unreadable' || details.isNewer === true) throw thrown;
      await records.forget(keyOf(issuer, redirectSet), placeOf(issuer));
      return { version: null, clients: [] };
    }
  };

  const change = async (issuer: string, redirectSet: string, next: (clients: readonly FormerClient[]) => readonly FormerClient[]) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { version, clients } = await readable(issuer, redirectSet);
      const secret = { clients: next(clients) };
      const options = { secret, place: placeOf(issuer), basedOn: version };
      if ((await records.replace(keyOf(issuer, redirectSet), { issuer }, options)).replaced) return;
    }
    throw new FailureError('store_failed', 'storage', { reason: 'Other processes kept changing the former registrations.' });
  };

  return {
    async find(issuer, redirectSet, clientId) {
      const { clients } = await read(issuer, redirectSet);
      return clients.find((one) => one.clientId === clientId);
    },

    keep: (issuer, redirectSet, client) =>
      change(issuer, redirectSet, (clients) =>
        [...clients.filter(({ clientId }) => clientId !== client.clientId), client].slice(-MOST_KEPT),
      ),

    async forget(issuer, redirectSet, clientId) {
      if (clientId === undefined) return records.forget(keyOf(issuer, redirectSet), placeOf(issuer));
      const { clients: kept } = await readable(issuer, redirectSet);
      if (!kept.some((one) => one.clientId === clientId)) return;
      await change(issuer, redirectSet, (clients) => clients.filter((one) => one.clientId !== clientId));
    },
  };
}
