/** A single-page application with a login, as its author would write it: by redirect below /redirect, by popup below /popup. */
import { type AuthorizationClient, type Clock, createAuthorizationClient, type Limits } from 'authchart';
import { completeFromPage, completeFromPopup, type IndexedDbStore, indexedDbStore, pageRedirect, popup } from 'authchart/browser';

interface Configuration {
  readonly resource: string;
  readonly limits: Partial<Limits>;
}

export interface Application {
  readonly client: AuthorizationClient;
  readonly store: IndexedDbStore;
  /** What the page did when it had loaded. */
  readonly started: Promise<unknown>;
  /** Every step the status has shown. */
  readonly steps: readonly string[];
  /** Sends a request to the resource; the status of its answer. */
  call(): Promise<number>;
  /** Turns the clock of this page. */
  laterMs: number;
}

declare global {
  var application: Application;
}

const element = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no ${id}.`);
  return found;
};

const { resource, limits } = JSON.parse(element('configuration').textContent ?? '') as Configuration;
const isPopup = location.pathname.startsWith('/popup');
const steps: string[] = [];

const clock: Clock = {
  now: () => Date.now() + application.laterMs,
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, durationMs);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};
const store = indexedDbStore({ clock });
const popupAgent = popup();
const client = createAuthorizationClient({
  resource,
  store,
  clock,
  limits,
  userAgent: isPopup ? popupAgent : pageRedirect(),
  clientMetadata: {
    client_name: 'Application',
    redirect_uris: [`${location.origin}${isPopup ? '/popup/callback' : '/redirect/callback'}`],
  },
});

async function call(): Promise<number> {
  const response = await client.fetch(resource, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  });
  element('answer').textContent = await response.text();
  return response.status;
}

function show(): void {
  const { status } = client;
  steps.push(status.step);
  element('status').textContent = status.step;
  element('problem').textContent = status.step === 'failed' ? status.failure.message : (status.warning?.message ?? '');
  const link = element('continue') as HTMLAnchorElement;
  link.hidden = status.step !== 'awaiting-user';
  if (status.step === 'awaiting-user') link.href = status.authorizationUrl;
}

client.subscribe(show);
element('sign-in').addEventListener('click', () => {
  const signingIn = isPopup ? popupAgent.fromClick(client) : client.authorize();
  signingIn.catch(() => show());
});
element('call').addEventListener('click', () => void call().catch(() => show()));

globalThis.application = { client, store, steps, call, laterMs: 0, started: Promise.resolve() };
const started = location.pathname === '/popup/callback' ? completeFromPopup(client) : completeFromPage(client);
// What went wrong is for whoever asks.
started.catch(() => show());
globalThis.application = Object.assign(globalThis.application, { started });
// Without a click, which is what browsers block windows for.
if (location.search === '?sign-in-at-once') client.authorize().catch(() => show());
