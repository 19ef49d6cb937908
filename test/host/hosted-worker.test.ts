/** Runs the example of docs/hosting.md as it stands: two processes, a real Redis, servers on real ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { listeningServers } from '../fixtures/scripted/scripted-servers.ts';
import { redisDatabase } from '../helpers/databases.ts';
import { freePort } from '../helpers/free-port.ts';

const database = redisDatabase();
const EXAMPLE = fileURLToPath(new URL('../../docs/examples/hosted-worker.ts', import.meta.url));
const FROM_SOURCE = new URL('../helpers/authchart-from-source.ts', import.meta.url).href;

interface Worker {
  readonly process: ChildProcess;
  /** Sends a request as a browser that has this cookie and follows no redirect. */
  get(path: string, cookie?: string): Promise<Response>;
}

/** Two workers of one application; browsers come back to the second. */
async function twoWorkers(context: TestContext) {
  const redisUrl = await database.url(context);
  const servers = await listeningServers();
  onTestFinished(() => servers.close());
  const ports = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    REDIS_URL: redisUrl,
    PREFIX: `authchart-test-${randomUUID()}:`,
    VAULT_KEY: randomBytes(32).toString('base64'),
    MCP_SERVER: servers.resource.url,
    PUBLIC_URL: `http://127.0.0.1:${ports[1]}`,
  };
  const [first, second] = await Promise.all(ports.map((port) => startWorker({ ...env, PORT: `${port}` }, port)));
  if (first === undefined || second === undefined) throw new Error('two were started');
  return { servers, first, second };
}

async function startWorker(env: NodeJS.ProcessEnv, port: number): Promise<Worker> {
  const worker = spawn(process.execPath, ['--import', FROM_SOURCE, EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void worker.kill('SIGKILL'));
  const [line] = await once(createInterface(worker.stdout), 'line');
  expect(line).toBe(`listening on ${port}`);
  return {
    process: worker,
    get: (path, cookie = '') => fetch(new URL(path, `http://127.0.0.1:${port}`), { headers: { cookie }, redirect: 'manual' }),
  };
}

async function signedIn(worker: Worker, account: string): Promise<string> {
  const answer = await worker.get(`/sign-in?as=${account}`);
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

describe('the two-worker example over Redis', () => {
  it('answers the request of one worker after the callback came to the other, and only from the browser of its user (RES-06, AUT-08, STO-04)', async (context) => {
    const { servers, first, second } = await twoWorkers(context);
    const ann = await signedIn(first, 'ann');
    const mallory = await signedIn(second, 'mallory');
    const pending = first.get('/ask', ann);
    const page = (await first.get('/connect', ann)).headers.get('location') ?? '';
    // Whoever is asked shows the same page.
    expect((await second.get('/connect', ann)).headers.get('location')).toBe(page);
    expect((await second.get(await servers.approve(page), mallory)).status).toBe(403);
    expect(servers.requestsFor('token')).toEqual([]);
    const back = await second.get(await servers.approve(page), ann);
    expect([back.status, back.headers.get('location')]).toEqual([303, new URL('/connected', back.url).href]);
    expect((await pending).status).toBe(200);
    expect((await second.get('/ask', ann)).status).toBe(200);
    expect([servers.requestsFor('token').length, servers.requestsFor('registration').length]).toEqual([1, 1]);
    expect(servers.violations).toEqual([]);
  });

  it('completes a login whose worker was killed (RES-02, RES-06)', async (context) => {
    const { servers, first, second } = await twoWorkers(context);
    const ann = await signedIn(first, 'ann');
    const lost = first.get('/ask', ann).catch((error: unknown) => error);
    const page = (await first.get('/connect', ann)).headers.get('location') ?? '';
    first.process.kill('SIGKILL');
    expect(await lost).toBeInstanceOf(Error);
    expect((await second.get(await servers.approve(page), ann)).status).toBe(303);
    expect((await second.get('/ask', ann)).status).toBe(200);
    expect([servers.requestsFor('token').length, servers.requestsFor('registration').length]).toEqual([1, 1]);
    expect(servers.violations).toEqual([]);
  });
});
