/**
 * Attempts at authorization: what must outlive the page or process that began
 * one. Each attempt has a vault entry of its own with its verifier and state, so
 * that any number may wait at once without touching each other (AUT-08).
 *
 * Two gates, each passed once by one caller however many processes try:
 * - The state record turns from unused to used by compare-and-set: a callback is
 *   accepted once (AUT-05). Its URL is in the vault before, so that a crash in
 *   between loses nothing and the browser may repeat it.
 * - The verifier is taken out of the vault in one step: whoever gets it may send
 *   the code, and nobody can a second time (AUT-09, RES-08).
 */
import * as z from 'zod/mini';
import type { Clock } from '../clock.ts';
import { constantTimeEqual } from '../protocol/constant-time-equal.ts';
import type { Store } from '../stores/contract.ts';
import { digest, recordKey } from './keys.ts';
import { decodeRecord, RECORD_FORMAT } from './record-format.ts';
import { tidyUp } from './tidy-up.ts';

/** Secret: never in context, events or logs. */
export interface AttemptSecrets {
  /** PKCE code verifier. */
  readonly verifier: string;
  readonly state: string;
}

/** Everything the code exchange needs that is secret. */
export interface StoredCallback extends AttemptSecrets {
  readonly callbackUrl: string;
}

export interface WaitingAttempt {
  readonly attemptId: string;
  /** Key of the flow record that waits for the callback (RES-06). */
  readonly flowKey: string;
  readonly deadlineEpochMs: number;
  /** A callback has been accepted already. */
  readonly used: boolean;
}

/** `unknown`: no such state, or its deadline has passed. `used`: this state brought a callback before. */
export type CallbackAcceptance = 'accepted' | 'unknown' | 'used';

export interface AttemptRecords {
  /** Stores the attempt; call before the user is sent away. The callback is accepted until the deadline. */
  open(
    attemptId: string,
    secrets: AttemptSecrets,
    options: {
      readonly flowKey: string;
      readonly deadlineEpochMs: number;
      /** Kept beside the verifier, out of reach of whoever can write the store but not the vault. */
      readonly boundTo: string;
    },
  ): Promise<void>;
  /** The attempt a callback belongs to, in whatever process it began. */
  findByState(state: string): Promise<WaitingAttempt | undefined>;
  /** Stores the callback for its attempt; anything but `accepted` has changed nothing. */
  acceptCallback(state: string, callbackUrl: string): Promise<CallbackAcceptance>;
  /** False once its code was handed out to be sent, or the attempt was closed: no callback can complete it any more. */
  isOpen(attemptId: string): Promise<boolean>;
  /** What the attempt was opened with; `undefined` where `isOpen` is false. */
  boundTo(attemptId: string): Promise<string | undefined>;
  /** The callback that waits for its code to be sent; reading it commits to nothing. */
  readCallback(attemptId: string): Promise<StoredCallback | undefined>;
  /** `stored`: the callback is in the vault, and its acceptance not yet in the store. */
  hasCallback(attemptId: string): Promise<'accepted' | 'stored' | undefined>;
  /** Key of the vault entry that appears with the callback, for stores that can be watched. */
  callbackKey(attemptId: string): string;
  /** As `readCallback`, but of all callers in all processes exactly one gets it: that one may send the code. */
  takeCallback(attemptId: string): Promise<StoredCallback | undefined>;
  /** Deletes what is left of the attempt; a callback that comes later changes nothing. */
  close(attemptId: string): Promise<void>;
  /** The same for an attempt whose code may be on its way elsewhere: whoever gets its tokens learns that nobody wants them. */
  disown(attemptId: string): Promise<void>;
  /** The session this attempt was for has been ended, whatever login came after it. */
  isDisowned(attemptId: string): Promise<boolean>;
}

// Records outlive the deadline, so that a flow resumed just after it can still say
// what happened, and a repeated callback is told from a forged one.
const KEPT_AFTER_DEADLINE_MS = 3_600_000;

/** For so long may a process have been asleep with the answer to its code on its way. */
const DISOWNED_KEPT_MS = 24 * 3_600_000;

const stateRecord = z.object({ attemptId: z.string(), flowKey: z.string(), deadlineEpochMs: z.number(), used: z.boolean() });
const attemptEntry = z.object({ verifier: z.string(), state: z.string(), boundTo: z.string() });
/** `callbackUrl` is gone once the code was handed out to be sent. */
const callbackEntry = z.object({ stateKey: z.string(), callbackUrl: z.exactOptional(z.string()) });

export function createAttemptRecords(o: {
  readonly store: Store;
  /** Where verifier, state and callback go; may be the same store. */
  readonly vault: Store;
  readonly clock: Clock;
}): AttemptRecords {
  const { store, vault } = o;

  const readSecrets = async (attemptId: string): Promise<z.output<typeof attemptEntry> | undefined> => {
    const entry = await vault.read(attemptKey(attemptId));
    return entry && decodeRecord('attempt', attemptEntry, entry);
  };

  const readCallbackEntry = async (attemptId: string): Promise<z.output<typeof callbackEntry> | undefined> => {
    const entry = await vault.read(callbackKey(attemptId));
    return entry && decodeRecord('callback', callbackEntry, entry);
  };

  const readState = async (state: string): Promise<{ stateKey: string; version: string; waiting: WaitingAttempt } | undefined> => {
    const stateKey = await stateKeyOf(state);
    const record = await store.read(stateKey);
    if (record === undefined) return undefined;
    return { stateKey, version: record.version, waiting: decodeRecord('state', stateRecord, record) };
  };

  const provesState = async (waiting: WaitingAttempt, state: string): Promise<boolean> => {
    if (o.clock.now() >= waiting.deadlineEpochMs) return false;
    const secrets = await readSecrets(waiting.attemptId);
    return secrets !== undefined && constantTimeEqual(secrets.state, state);
  };

  /** Callbacks that may have been accepted here although the store never said so, by state record. */
  const unsure = new Map<string, string>();

  /** The page was told of a failure and brings the same once more: that is accepted, once. */
  const acceptedUnseen = (stateKey: string, callbackUrl: string): CallbackAcceptance => {
    if (unsure.get(stateKey) !== callbackUrl) return 'used';
    unsure.delete(stateKey);
    return 'accepted';
  };

  const close = async (attemptId: string): Promise<void> => {
    const secrets = await readSecrets(attemptId);
    const stateKey = secrets === undefined ? (await readCallbackEntry(attemptId))?.stateKey : await stateKeyOf(secrets.state);
    // The way in is closed first: a callback that comes now stores nothing behind our back.
    if (stateKey !== undefined) {
      unsure.delete(stateKey);
      await store.delete(stateKey);
    }
    await vault.delete(attemptKey(attemptId));
    await vault.delete(callbackKey(attemptId));
  };

  return {
    async open(attemptId, { verifier, state }, { flowKey, deadlineEpochMs, boundTo }) {
      const expiry = { expiresAtEpochMs: deadlineEpochMs + KEPT_AFTER_DEADLINE_MS };
      await vault.write(attemptKey(attemptId), { format: RECORD_FORMAT, verifier, state, boundTo }, expiry);
      const record = { format: RECORD_FORMAT, attemptId, flowKey, deadlineEpochMs, used: false };
      await store.write(await stateKeyOf(state), record, expiry);
    },

    async findByState(state) {
      return (await readState(state))?.waiting;
    },

    async acceptCallback(state, callbackUrl) {
      const found = await readState(state);
      if (found?.waiting.used) return acceptedUnseen(found.stateKey, callbackUrl);
      if (found === undefined || !(await provesState(found.waiting, state))) return 'unknown';

      const { stateKey, version, waiting } = found;
      const expiry = { expiresAtEpochMs: waiting.deadlineEpochMs + KEPT_AFTER_DEADLINE_MS };
      const key = callbackKey(waiting.attemptId);
      // The first callback stays: a second one with another code cannot replace it.
      const stored = await vault.write(key, { format: RECORD_FORMAT, stateKey, callbackUrl }, { expected: null, ...expiry });
      if (!stored.written && stored.current?.value['callbackUrl'] !== callbackUrl) return 'used';
      const used = { format: RECORD_FORMAT, ...waiting, used: true };
      const turned = await store.write(stateKey, used, { expected: version, ...expiry }).catch((thrown: unknown) => {
        unsure.set(stateKey, callbackUrl);
        throw thrown;
      });
      if (turned.written) return 'accepted';
      if (turned.current !== undefined) return 'used';
      // Closed meanwhile: nobody will come for what was stored a moment ago.
      if (stored.written) await vault.delete(key, { expected: stored.version });
      return 'unknown';
    },

    async isOpen(attemptId) {
      return (await readSecrets(attemptId)) !== undefined;
    },

    async boundTo(attemptId) {
      return (await readSecrets(attemptId))?.boundTo;
    },

    async readCallback(attemptId) {
      const { callbackUrl } = (await readCallbackEntry(attemptId)) ?? {};
      const secrets = callbackUrl === undefined ? undefined : await readSecrets(attemptId);
      return callbackUrl === undefined || secrets === undefined ? undefined : storedCallback(secrets, callbackUrl);
    },

    async hasCallback(attemptId) {
      const entry = await readCallbackEntry(attemptId);
      if (entry?.callbackUrl === undefined) return undefined;
      const record = await store.read(entry.stateKey);
      return record !== undefined && decodeRecord('state', stateRecord, record).used ? 'accepted' : 'stored';
    },

    callbackKey,

    async takeCallback(attemptId) {
      const entry = await vault.read(callbackKey(attemptId));
      if (entry === undefined) return undefined;
      const { callbackUrl, stateKey } = decodeRecord('callback', callbackEntry, entry);
      if (callbackUrl === undefined) return undefined;
      const taken = await vault.take(attemptKey(attemptId));
      if (taken === undefined) return undefined;
      const secrets = decodeRecord('attempt', attemptEntry, taken);
      // Without its verifier the code is worth nothing; still it need not stay.
      const spent = { format: RECORD_FORMAT, stateKey };
      await tidyUp(vault.write(callbackKey(attemptId), spent, { expiresAtEpochMs: o.clock.now() + KEPT_AFTER_DEADLINE_MS }));
      return storedCallback(secrets, callbackUrl);
    },

    close,

    async disown(attemptId) {
      const expiresAtEpochMs = o.clock.now() + DISOWNED_KEPT_MS;
      await store.write(disownedKey(attemptId), { format: RECORD_FORMAT }, { expiresAtEpochMs });
      await close(attemptId);
    },

    async isDisowned(attemptId) {
      return (await store.read(disownedKey(attemptId))) !== undefined;
    },
  };
}

function storedCallback({ verifier, state }: AttemptSecrets, callbackUrl: string): StoredCallback {
  return { verifier, state, callbackUrl };
}

function attemptKey(attemptId: string): string {
  return recordKey('vault', 'attempt', attemptId);
}

function callbackKey(attemptId: string): string {
  return recordKey('vault', 'callback', attemptId);
}

function disownedKey(attemptId: string): string {
  return recordKey('disowned-attempt', attemptId);
}

/** A digest, because store keys are not secret and may be logged by the store's operator. */
async function stateKeyOf(state: string): Promise<string> {
  return recordKey('state', await digest(state));
}
