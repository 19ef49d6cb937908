/**
 * Servers, a store, a person with a browser, and programs that come and go: what
 * tests play in that kill real processes. `await using` ends it all.
 */
import { createServer } from 'node:net';
import { type AuthorizationClient, createAuthorizationClient } from '../../src/client.ts';
import { systemClock } from '../../src/clock.ts';
import { loopback } from '../../src/user-agents/loopback.ts';
import type { ProgramSetup } from '../fixtures/killable/contract.ts';
import { openStore } from '../fixtures/killable/open-store.ts';
import type { ViolatedRule } from '../fixtures/scripted/recording.ts';
import { type ListeningServers, listeningServers } from '../fixtures/scripted/scripted-servers.ts';
import { type Program, type ProgramEvents, startProgram } from './killable-program.ts';
import { type PersonAtBrowser, personAtBrowser } from './person-at-browser.ts';
import type { OwnPlace } from './store-places.ts';

export interface KillScene extends AsyncDisposable {
  readonly servers: ListeningServers;
  readonly person: PersonAtBrowser;
  start(given?: StartOptions): Promise<Program>;
  /** Kills the program with that number. */
  killProcess(pid: string | null): void;
  /** A login that nobody disturbs. */
  signIn(): Promise<void>;
  /** A request of a program that nobody disturbs, the status of its answer. */
  call(path: string): Promise<number>;
  /** Every access token is past its end, for the servers and for every program started from now on. */
  passAnHour(): void;
  count(): Count;
}

/** Without events of its own the person approves each page, and the browser comes back. */
export interface StartOptions extends ProgramEvents {
  readonly asks?: boolean;
}

/** What has happened so far, as the servers saw it. */
export interface Count {
  /** Times the person had to approve: authorization requests. */
  readonly approvals: number;
  /** Clients that the authorization server knows. */
  readonly registrations: number;
  readonly codesSent: number;
  readonly codesSentTwice: number;
  readonly refreshes: number;
  readonly refreshTokensSentTwice: number;
  /** Every other rule of the protocol that was broken; `[]` is the outcome to expect. */
  readonly violations: readonly ViolatedRule[];
}

export interface KillSceneOptions {
  /** Of its programs. Default `loopback`. */
  readonly userAgent?: ProgramSetup['userAgent'];
  /** A redirect URI without a port takes any. Default: one with a port of its own. */
  readonly redirectUri?: string;
}

const HOUR_MS = 3_601_000;
const COUNTED_APART: readonly ViolatedRule[] = ['code sent twice', 'refresh token sent twice'];

export async function killScene({ place }: OwnPlace, options: KillSceneOptions = {}): Promise<KillScene> {
  let clockAheadMs = 0;
  const now = (): number => systemClock.now() + clockAheadMs;
  const servers = await listeningServers({
    now,
    // `/mcp/<scope>` needs that scope, `/mcp` none.
    resource: { scopesFor: ({ url }) => url.pathname.split('/')[2]?.split('+').filter(Boolean) ?? [] },
  });
  const redirectUri = options.redirectUri ?? `http://127.0.0.1:${await ownPort()}/callback`;
  const programs: Program[] = [];
  const person = personAtBrowser(servers);

  /** A client that nobody kills: started anew on the same records, and closed. */
  const inThisProcess = async <Result>(work: (client: AuthorizationClient) => Promise<Result>): Promise<Result> => {
    const clock = { ...systemClock, now };
    const { store, close } = await openStore(place, clock);
    const client = createAuthorizationClient({
      resource: servers.resource.url,
      store,
      clock,
      clientMetadata: { client_name: 'Killable program', redirect_uris: [redirectUri] },
      userAgent: loopback({ openUrl: async (url) => void person.approve(url).then(person.comeBack) }),
    });
    try {
      return await work(client);
    } finally {
      await client.close();
      await close();
    }
  };

  const sent = (grantType: string) => servers.requestsFor('token').filter(({ form }) => form.get('grant_type') === grantType);
  const broken = (rule: ViolatedRule): number => servers.violations.filter((violation) => violation.rule === rule).length;

  return {
    servers,
    person,
    async start({ asks = false, ...events } = {}) {
      const setup: ProgramSetup = {
        place,
        resource: servers.resource.url,
        userAgent: options.userAgent ?? 'loopback',
        redirectUri,
        clockAheadMs,
        asks,
      };
      const program = await startProgram(setup, person.watching(events));
      programs.push(program);
      return program;
    },
    killProcess(pid) {
      void programs.find((program) => String(program.pid) === pid)?.kill();
    },
    async signIn() {
      await inThisProcess((client) => client.authorize());
    },
    call: (path) =>
      inThisProcess(async (client) => {
        const response = await client.fetch(`${servers.resource.url}${path}`, { method: 'POST', body: '{}' });
        await response.arrayBuffer();
        return response.status;
      }),
    passAnHour() {
      clockAheadMs += HOUR_MS;
    },
    count: () => {
      const codes = sent('authorization_code').map(({ form }) => form.get('code'));
      return {
        approvals: servers.requests.filter(({ purpose }) => purpose === 'authorization').length,
        registrations: servers.authorizationServer.registeredClients.length,
        codesSent: codes.length,
        // Counted as they were sent: a code that no server has seen is not to be sent again either.
        codesSentTwice: codes.length - new Set(codes).size,
        refreshes: sent('refresh_token').length,
        refreshTokensSentTwice: broken('refresh token sent twice'),
        violations: servers.violations.map(({ rule }) => rule).filter((rule) => !COUNTED_APART.includes(rule)),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map((program) => program.kill()));
      await servers.close();
    },
  };
}

/**
 * Below the range systems give out by themselves: between the death of a program and
 * the start of the next, no connection of the machine happens to take it.
 */
const [LOWEST_PORT, PORTS] = [20_000, 12_000];

async function ownPort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    const listener = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      listener.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => listener.close(resolve));
    return port;
  }
}
