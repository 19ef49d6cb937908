/**
 * The envelope of a checkpoint: state value and context of a chart as plain JSON,
 * with a version of its own (RES-01). XState's internal snapshot is not kept: it
 * would send a code again on restore, and its shape belongs to XState.
 *
 * A later version adds a step to `MIGRATIONS` and leaves the steps before it (RES-04).
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { JsonObject, JsonValue } from '../stores/contract.ts';

export interface Checkpoint {
  readonly version: 1;
  /** The chart's state value: a name, or names by region or parent. */
  readonly value: JsonValue;
  readonly context: JsonObject;
  readonly writtenAtEpochMs: number;
}

const CHECKPOINT_VERSION = 1;

/** From each older version to the one after it. */
const MIGRATIONS: Readonly<Record<number, (older: JsonObject) => JsonObject>> = {};

type StateValue = string | { readonly [parent: string]: StateValue };

/** Deeper than any chart's states: what comes from outside could otherwise be deeper than the stack. */
const LEVELS = 16;
const stateValue = z.custom<StateValue>((value) => isStateValue(value, LEVELS));

function isStateValue(value: unknown, levels: number): boolean {
  if (typeof value === 'string') return value !== '';
  if (typeof value !== 'object' || value === null || Array.isArray(value) || levels === 0) return false;
  return Object.values(value).every((child) => isStateValue(child, levels - 1));
}

const envelope = z.object({
  value: stateValue,
  context: z.record(z.string(), z.unknown()),
  writtenAtEpochMs: z.number(),
});
const anyVersion = z.object({ version: z.int().check(z.minimum(1)) });

export function encodeCheckpoint(checkpoint: Omit<Checkpoint, 'version'>): JsonObject {
  const { value, context, writtenAtEpochMs } = checkpoint;
  return { version: CHECKPOINT_VERSION, value, context, writtenAtEpochMs };
}

/**
 * Reads what a store returned. Throws `record_unreadable` for damage, for hand-made
 * nonsense and for versions newer than this one; whether the chart still knows the
 * state is for whoever restores it to find out.
 */
export function decodeCheckpoint(json: unknown): Checkpoint {
  const version = anyVersion.safeParse(json).data?.version;
  if (version === undefined) throw unreadable('The checkpoint has no version.');
  if (version > CHECKPOINT_VERSION) {
    throw newer(`The checkpoint has version ${version}; this version of authchart reads up to ${CHECKPOINT_VERSION}.`);
  }
  let migrated = json as JsonObject;
  for (let from = version; from < CHECKPOINT_VERSION; from += 1) migrated = MIGRATIONS[from]?.(migrated) ?? migrated;
  const parsed = envelope.safeParse(migrated);
  // The parser's own text is left out: it may quote what it read.
  if (!parsed.success) throw unreadable('The checkpoint is damaged.');
  const { value, context, writtenAtEpochMs } = parsed.data;
  // It came out of a JSON store: what the envelope does not look into is JSON.
  return { version: CHECKPOINT_VERSION, value, context: context as JsonObject, writtenAtEpochMs };
}

function unreadable(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason });
}

function newer(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason, isNewer: true });
}
