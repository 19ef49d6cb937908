/** Replicas of a gateway as processes of their own over one database, and what stands before them. */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TestContext } from 'vitest';
import type { BackendAnswer, ReplicaReport, ReplicaSetup } from '../fixtures/gateway-replica/contract.ts';
import { registeredUpstream } from '../fixtures/gateway-server.ts';
import { type OidcProvider, startOidcProvider } from '../fixtures/oidc-provider.ts';
import { builtProgram, COMPILE_CACHE } from './built-program.ts';
import { type GatewayBrowser, gatewayBrowser } from './gateway-browser.ts';
import { BACKEND, GATEWAY, type GatewayEntry, RESOURCE } from './gateway-scene.ts';
import { signingKey } from './signing-key.ts';
import type { MakePlace } from './store-places.ts';

const PROGRAM = new URL('../fixtures/gateway-replica/program.ts', import.meta.url);
let built: Promise<string> | undefined;

export interface Replica extends GatewayEntry {
  /** With SIGKILL. Resolves once the process is gone. */
  kill(): Promise<void>;
  readonly isGone: boolean;
}

export interface Replicas {
  readonly provider: OidcProvider;
  /** @param onDealing asked before each dealing with the world: `die`, or go on */
  start(changes?: Partial<ReplicaSetup>, onDealing?: (dealing: string) => 'die' | 'go on'): Promise<Replica>;
  browser(before: GatewayEntry): GatewayBrowser;
}

export async function replicas(context: TestContext, inStore: MakePlace): Promise<Replicas> {
  const own = await inStore(context);
  context.onTestFinished(() => own[Symbol.asyncDispose]());
  const provider = await startOidcProvider({ scopes: ['read', 'write'] });
  context.onTestFinished(() => provider.close());
  const setup: ReplicaSetup = {
    place: own.place,
    options: {
      resource: RESOURCE,
      scopes: ['read', 'write'],
      upstream: {
        issuer: provider.issuer,
        ...(await registeredUpstream(provider, `${GATEWAY}/oauth/callback`)),
        scopes: ['openid', 'offline_access'],
        resource: BACKEND,
      },
    },
    sealing: { keys: { one: sealingKey() }, current: 'one' },
    signingKeys: [await signingKey('one')],
    asks: false,
  };
  return {
    provider,
    start: (changes = {}, onDealing = undefined) =>
      startReplica(context, { ...setup, ...changes, asks: onDealing !== undefined }, onDealing),
    browser: (before) => gatewayBrowser({ gateway: before, origin: GATEWAY, providerOrigin: provider.issuer }),
  };
}

async function startReplica(
  context: TestContext,
  setup: ReplicaSetup,
  onDealing: ((dealing: string) => 'die' | 'go on') | undefined,
): Promise<Replica> {
  built ??= builtProgram(PROGRAM);
  const child = fork(await built, [], {
    execArgv: [],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  context.onTestFinished(kill);
  const origin = await new Promise<string>((resolve, reject) => {
    void gone.then(() => reject(new Error('The replica did not start.')));
    child.on('message', (report: ReplicaReport) => {
      switch (report.is) {
        // Beside its command line, where secrets do not belong.
        case 'ready':
          child.send(setup);
          return;
        case 'serving':
          resolve(report.origin);
          return;
        case 'dealing':
          if (onDealing?.(report.dealing) === 'die') child.kill('SIGKILL');
          else child.send('go on', () => undefined);
      }
    });
  });
  return {
    kill,
    get isGone() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const body = request.method === 'GET' ? {} : { body: await request.clone().text() };
      return fetch(`${origin}${pathname}${search}`, { method: request.method, headers: request.headers, redirect: 'manual', ...body });
    },
  };
}

/** Sends every request to the replica that `choose` names for its path. */
export function chosenBy(choose: (pathname: string) => GatewayEntry): GatewayEntry {
  return { fetch: (request) => choose(new URL(request.url).pathname).fetch(request) };
}

/** Sends requests to the first, and once it is dead to the second, also the one it died of. */
export function withFailover(first: Replica, second: GatewayEntry): GatewayEntry {
  return {
    async fetch(request) {
      if (first.isGone) return second.fetch(request);
      try {
        return await first.fetch(request);
      } catch {
        return second.fetch(request);
      }
    },
  };
}

export const sealingKey = (): string => randomBytes(32).toString('hex');

/** What the backend answers to a token: its status, and who it was. */
export async function callBackend(entry: GatewayEntry, token: unknown): Promise<{ status: number; body: Partial<BackendAnswer> }> {
  const response = await entry.fetch(new Request(RESOURCE, { headers: { authorization: `Bearer ${String(token)}` } }));
  return { status: response.status, body: (await response.json()) as Partial<BackendAnswer> };
}
