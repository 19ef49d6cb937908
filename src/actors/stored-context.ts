/** The groups of a stored context that resuming needs, checked as anything that comes from outside is. */
import * as z from 'zod/mini';
import type { AuthorizationServer, RestoredFlow } from '../../machines/contracts.ts';
import type { Checkpoint } from '../durable/checkpoint.ts';
import { FailureError } from '../failure.ts';
import type { ServerMetadata } from '../protocol/documents.ts';
import type { JsonObject } from '../stores/contract.ts';
import type { Environment } from './environment.ts';

/** What a checkpoint holds of the chart's context (`write-ahead.ts` writes it); the token is a record of its own. */
export type StoredContext = Omit<RestoredFlow['context'], 'token'>;

const text = z.string();
const texts = z.array(text);
const endpoint = z.optional(z.url({ protocol: /^https?$/ }));

const shape = z.object({
  challenge: z.optional(
    z.looseObject({
      reason: z.enum(['unauthorized', 'insufficient-scope', 'expiring']),
      scopes: z.optional(texts),
      // Where the resource's metadata is to be looked for is for the resource to say, and not for the store.
      facts: z.optional(z.object({ scheme: z.optional(text), scopes: z.optional(texts), error: z.optional(text) })),
    }),
  ),
  authorizationServer: z.optional(
    z.looseObject({
      issuer: text,
      hasResourceMetadata: z.boolean(),
      metadata: z.optional(
        z.looseObject({
          issuer: text,
          authorization_endpoint: endpoint,
          token_endpoint: endpoint,
          registration_endpoint: endpoint,
        }),
      ),
      /** In place of the metadata: its name among those that logins share. */
      metadataDigest: z.optional(text),
    }),
  ),
  redirectUri: z.optional(text),
  client: z.optional(z.looseObject({ clientId: text, source: text, authMethod: text, redirectUri: text })),
  grant: z.optional(
    z.looseObject({
      attemptId: text,
      authorizationUrl: z.url({ protocol: /^https?$/ }),
      redirectUri: text,
      issuer: text,
      requestedScopes: texts,
      deadlineEpochMs: z.number(),
    }),
  ),
  stepUp: z.optional(z.looseObject({ operation: text, challenged: texts, requested: texts, missing: texts })),
  pastStepUps: z.optional(z.array(z.looseObject({ operation: text, scopes: text, atEpochMs: z.number() }))),
});

/** @throws FailureError `record_unreadable` if a checkpoint was edited into something else (RES-01). */
export function storedContext(context: JsonObject): StoredContext {
  const parsed = shape.safeParse(context);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new FailureError('record_unreadable', 'storage', { reason: `The checkpoint is wrong at: ${where}.` });
  }
  return parsed.data as StoredContext;
}

/**
 * The login that the checkpoint has under way, all but the server metadata that it may only name. One that was at rest, or was being ended when its process died, leaves
 * no more than the step-ups that were answered.
 *
 * @throws FailureError `record_unreadable`, as `storedContext`.
 */
export function storedLogin({ value, context }: Checkpoint): StoredContext {
  const stored = storedContext(context);
  if (isLoggingIn(value)) return stored;
  return stored.pastStepUps === undefined ? {} : { pastStepUps: stored.pastStepUps };
}

/**
 * The same, with the server metadata that the checkpoint only names. The store has it for as long as the login can be
 * completed, and some weeks more: it is looked for on behalf of no other.
 *
 * @throws FailureError `record_unreadable` where that metadata is gone or has been changed.
 */
export async function wholeLogin(
  { sharedMetadata }: Environment,
  { authorizationServer: stored, ...login }: StoredContext,
): Promise<StoredContext> {
  if (stored === undefined) return login;
  const { metadataDigest, metadata: within, ...server }: StoredServer = stored;
  const metadata = metadataDigest === undefined ? within : await sharedMetadata.find(metadataDigest);
  if (metadata === undefined) {
    throw new FailureError('record_unreadable', 'storage', { reason: 'The server metadata of the checkpoint is gone, or was changed.' });
  }
  return { ...login, authorizationServer: { ...server, metadata } };
}

type StoredServer = Omit<AuthorizationServer, 'metadata'> & { readonly metadata?: ServerMetadata; readonly metadataDigest?: string };

/** Of a state value, of the chart or of a checkpoint. */
export function isLoggingIn(value: unknown): boolean {
  return isObject(value) && 'working' in value && isObject(value.working) && 'loggingIn' in value.working;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
