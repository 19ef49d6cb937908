/**
 * What servers published, with validators and age (ASM-07): server metadata under
 * the issuer it was fetched for and no other (ISS-01), resource metadata under the
 * resource. A cache and nothing more: what cannot be read counts as not there,
 * and the format stands in the key, so that no version can disturb another's.
 *
 * Server metadata says where secrets go. Where they have a vault of their own, it
 * keeps a digest of what was fetched: someone who can write the store alone could
 * otherwise have refresh tokens sent to a token endpoint of theirs (ISS-01).
 */
import * as z from 'zod/mini';
import type { Clock } from '../clock.ts';
import { type Failure, type FailureCode, FailureError } from '../failure.ts';
import type { Limits } from '../limits.ts';
import { orderedJson } from '../ordered-json.ts';
import type { ResourceMetadata, ServerMetadata } from '../protocol/documents.ts';
import type { JsonObject, Store } from '../stores/contract.ts';
import { digest, recordKey } from './keys.ts';
import { decodeRecord, RECORD_FORMAT } from './record-format.ts';

/** A stored document and what is needed to judge whether it is still fresh. */
export interface Stored<Document> {
  readonly metadata: Document;
  readonly storedAtEpochMs: number;
  /** What the server allowed (`Cache-Control: max-age`). */
  readonly maxAgeSeconds?: number;
  readonly etag?: string;
}

export type Found<Document> = Omit<Stored<Document>, 'storedAtEpochMs'>;

export interface DiscoveryRecords {
  readServer(issuer: string): Promise<Stored<ServerMetadata> | undefined>;
  /** Throws `issuer_mismatch` for metadata of another issuer. */
  saveServer(issuer: string, found: Found<ServerMetadata>): Promise<void>;
  forgetServer(issuer: string): Promise<void>;
  readResource(resource: string): Promise<Stored<ResourceMetadata> | undefined>;
  saveResource(resource: string, found: Found<ResourceMetadata>): Promise<void>;
  forgetResource(resource: string): Promise<void>;
}

// Stale metadata is still worth its validator; what nobody asked for in a month is not.
const KEPT_MS = 30 * 24 * 3_600_000;

const strings = z.exactOptional(z.array(z.string()));
const text = z.exactOptional(z.string());
const flag = z.exactOptional(z.boolean());

const serverMetadata = z.object({
  issuer: z.string(),
  authorization_endpoint: text,
  token_endpoint: text,
  registration_endpoint: text,
  revocation_endpoint: text,
  pushed_authorization_request_endpoint: text,
  device_authorization_endpoint: text,
  require_pushed_authorization_requests: flag,
  scopes_supported: strings,
  grant_types_supported: strings,
  code_challenge_methods_supported: strings,
  token_endpoint_auth_methods_supported: strings,
  token_endpoint_auth_signing_alg_values_supported: strings,
  authorization_response_iss_parameter_supported: flag,
  client_id_metadata_document_supported: flag,
});
const resourceMetadata = z.object({ resource: z.string(), authorization_servers: z.array(z.string()), scopes_supported: strings });

/** Made once a kind and not once a client, since zod compiles each schema at its first use. */
function cacheRecord<Document extends object>(document: z.ZodMiniType<Document>) {
  return z.object({
    /** The issuer or resource the document was fetched for: a record moved to another key is not used. */
    of: z.string(),
    storedAtEpochMs: z.number(),
    maxAgeSeconds: z.exactOptional(z.number()),
    etag: text,
    metadata: document,
  });
}
const serverRecord = cacheRecord(serverMetadata);
const sealEntry = z.object({ digest: z.string() });
const resourceRecord = cacheRecord(resourceMetadata);

const UNREADABLE: ReadonlySet<FailureCode> = new Set<FailureCode>(['record_unreadable', 'vault_key_unknown', 'vault_key_wrong']);

export function createDiscoveryRecords(o: {
  readonly store: Store;
  /** Where secrets go, if that is another store. */
  readonly vault?: Store | undefined;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'metadataMaxAgeMs'>;
  /** Told when a record could not be read; the flow goes on without it. */
  readonly report?: (failure: Failure) => void;
}): DiscoveryRecords {
  const cacheOf = <Document extends object>(kind: string, schema: ReturnType<typeof cacheRecord<Document>>, vault?: Store) => {
    const keyOf = (owner: string): string => recordKey(`${kind}-${RECORD_FORMAT}`, owner);
    const sealKeyOf = (owner: string): string => recordKey('vault', `${kind}-seal`, owner);
    const sealOf = (owner: string, stored: Stored<Document>): Promise<string> => digest(orderedJson([owner, stored]));

    const isSealed = async (owner: string, stored: Stored<Document>): Promise<boolean> => {
      if (vault === undefined) return true;
      const entry = await vault.read(sealKeyOf(owner));
      return entry !== undefined && decodeRecord(`${kind} seal`, sealEntry, entry).digest === (await sealOf(owner, stored));
    };

    /** What cannot be read, or opened with the keys there are, is not there; a store that fails still fails. */
    const readable = async <Found>(work: Promise<Found>): Promise<Found | undefined> => {
      try {
        return await work;
      } catch (thrown) {
        if (!(thrown instanceof FailureError) || !UNREADABLE.has(thrown.failure.code)) throw thrown;
        o.report?.(thrown.failure);
        return undefined;
      }
    };

    const decode = async (owner: string): Promise<Stored<Document> | undefined> => {
      const record = await o.store.read(keyOf(owner));
      if (record === undefined) return undefined;
      const { of, ...stored } = decodeRecord(kind, schema, record);
      if (of !== owner) return undefined;
      if (await isSealed(owner, stored as Stored<Document>)) return stored as Stored<Document>;
      throw new FailureError('record_unreadable', 'storage', { reason: `The ${kind} record is not what was fetched.` });
    };

    return {
      read: (owner: string) => readable(decode(owner)),
      async save(owner: string, found: Found<Document>): Promise<void> {
        const storedAtEpochMs = o.clock.now();
        const { maxAgeSeconds, etag } = found;
        const metadata = { ...found.metadata } as JsonObject;
        const expiry = { expiresAtEpochMs: storedAtEpochMs + Math.max(KEPT_MS, 2 * o.limits.metadataMaxAgeMs) };
        const record = { format: RECORD_FORMAT, of: owner, storedAtEpochMs, maxAgeSeconds, etag, metadata };
        // Last writer wins: both wrote what the same server published. Where they crossed, it is fetched again.
        await readable(o.store.write(keyOf(owner), record, expiry));
        if (vault === undefined) return;
        const seal = { format: RECORD_FORMAT, digest: await sealOf(owner, { ...found, storedAtEpochMs }) };
        await readable(vault.write(sealKeyOf(owner), seal, expiry));
      },
      async forget(owner: string): Promise<void> {
        await readable(o.store.delete(keyOf(owner)));
      },
    };
  };

  const servers = cacheOf<ServerMetadata>('server-metadata', serverRecord, o.vault);
  const resources = cacheOf<ResourceMetadata>('resource-metadata', resourceRecord);

  return {
    readServer: servers.read,
    async saveServer(issuer, found) {
      // ASM-03 knows one tolerance, the trailing slash; whether it applies was decided before.
      if (withoutSlash(found.metadata.issuer) !== withoutSlash(issuer)) {
        throw new FailureError('issuer_mismatch', 'server-metadata', { expected: issuer, received: found.metadata.issuer });
      }
      await servers.save(issuer, found);
    },
    forgetServer: servers.forget,
    readResource: resources.read,
    saveResource: resources.save,
    forgetResource: resources.forget,
  };
}

function withoutSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : issuer;
}
