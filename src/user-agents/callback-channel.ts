/**
 * How the callback gets from the popup's page to the page that opened it: by
 * BroadcastChannel, which other origins can neither hear nor speak on. Nothing
 * listens to `window.postMessage`. The page that is addressed says at once that it is
 * there; otherwise the popup knows that it has to complete the attempt by itself.
 */
import * as z from 'zod/mini';
import type { Clock } from '../clock.ts';
import type { CallbackOutcome } from './contract.ts';

const CHANNEL = 'authchart callbacks';
/** Long for a page that lives, also in the background; short for a person. */
const HEARD_WITHIN_MS = 1_500;
/** To store the callback and check it; what is not done by then has died on the way. */
const ANSWERED_WITHIN_MS = 15_000;
/** Of several pages that wait for the same attempt one gets the callback; the others' refusals may be there first. */
const REFUSALS_COUNT_AFTER_MS = 1_000;

const outcome = z.union([
  z.object({ accepted: z.literal(true) }),
  // Made by authchart in another page of this origin, of perhaps another version: shown, not acted on.
  z.object({ accepted: z.literal(false), failure: z.looseObject({ code: z.string(), message: z.string(), advice: z.string() }) }),
]);
const callback = z.object({ kind: z.literal('callback'), id: z.string(), callbackUrl: z.string() });
const reply = z.union([
  z.object({ kind: z.literal('heard'), id: z.string() }),
  z.object({ kind: z.literal('outcome'), id: z.string(), outcome }),
]);

/** Takes callbacks that are `mine` until it is stopped; everyone else's pass by. */
export function listenForCallbacks(o: {
  readonly isMine: (callbackUrl: string) => boolean;
  readonly deliver: (callbackUrl: string) => Promise<CallbackOutcome>;
}): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  const answer = async (id: string, callbackUrl: string): Promise<void> => {
    channel.postMessage({ kind: 'heard', id });
    const delivered = await o.deliver(callbackUrl);
    // Closed meanwhile by the flow, which has gone on: whoever asked hears it on a channel of its own.
    const answering = new BroadcastChannel(CHANNEL);
    answering.postMessage({ kind: 'outcome', id, outcome: delivered });
    answering.close();
  };
  channel.addEventListener('message', ({ data, origin }: MessageEvent<unknown>) => {
    if (origin !== globalThis.location.origin) return;
    const asked = callback.safeParse(data);
    if (asked.success && o.isMine(asked.data.callbackUrl)) void answer(asked.data.id, asked.data.callbackUrl);
  });
  return () => channel.close();
}

/** What the page that waits made of the callback; `undefined` if no page answers. */
export async function handOver(callbackUrl: string, clock: Clock): Promise<CallbackOutcome | undefined> {
  const channel = new BroadcastChannel(CHANNEL);
  const over = new AbortController();
  const id = crypto.randomUUID();
  const within = (durationMs: number): Promise<undefined> =>
    clock.sleep(durationMs, over.signal).then(
      () => undefined,
      () => undefined,
    );
  try {
    let heard = (): void => {};
    const isHeard = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const answered = new Promise<CallbackOutcome>((resolve) => {
      channel.addEventListener('message', ({ data, origin }: MessageEvent<unknown>) => {
        const told = origin === globalThis.location.origin ? reply.safeParse(data).data : undefined;
        if (told?.id !== id) return;
        heard();
        if (told.kind !== 'outcome') return;
        const delivered = told.outcome as CallbackOutcome;
        const isLate = !delivered.accepted && delivered.failure.code === 'callback_not_expected';
        void within(isLate ? REFUSALS_COUNT_AFTER_MS : 0).then(() => resolve(delivered));
      });
    });
    channel.postMessage({ kind: 'callback', id, callbackUrl });
    const isThere = await Promise.race([isHeard.then(() => true), within(HEARD_WITHIN_MS)]);
    return isThere === undefined ? undefined : await Promise.race([answered, within(ANSWERED_WITHIN_MS)]);
  } finally {
    over.abort('over');
    channel.close();
  }
}
