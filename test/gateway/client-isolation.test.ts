import { describe, expect, it } from 'vitest';
import { currentCaller } from '../../src/gateway/current-caller.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { fedBody } from './fed-body.ts';
import { type BackendClient, backendClient, protectedScene, requestWith } from './protected-scene.ts';

const ALICE = 'Bearer good-alice';

describe('a response is not harmed', () => {
  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('SECRET-close');
      },
      'backend-client-close-failed',
    ],
    ['rejects', () => Promise.reject(new Error('SECRET-close')), 'backend-client-close-failed'],
    ['never ends', () => new Promise(() => {}), 'backend-client-close-slow'],
  ])('by a close that %s: it is logged (GWY-11)', async (_what, closeClient, event) => {
    const { handle, records, clock } = protectedScene({ closeClient });
    expect(await (await handle(requestWith(ALICE))).text()).toBe('hello alice by good-alice');
    await clock.advance(10_000);
    expect(records.map((record) => record.event)).toEqual([event]);
    expect(JSON.stringify(records)).not.toContain('SECRET');
  });

  it('by a logger that throws (GWY-11)', async () => {
    const logger = () => {
      throw new Error('disk full');
    };
    const { handle } = protectedScene({ logger });
    expect((await handle(requestWith('Bearer bad'))).status).toBe(401);
  });
});

describe('a client that cannot be made', () => {
  it('is a 502 without details, and nothing is closed (GWY-11)', async () => {
    const createClient = () => {
      throw new Error('SECRET-connection-string');
    };
    const { handle, served, records } = protectedScene({ createClient });
    const response = await handle(requestWith(ALICE));
    expect([response.status, served]).toEqual([502, []]);
    expect((await response.text()) + JSON.stringify(records)).not.toContain('SECRET');
    expect(records).toMatchObject([{ level: 'error', event: 'backend-client-failed', thrown: 'Error' }]);
  });

  it('may be answered by the embedder, whose own error changes nothing (GWY-11)', async () => {
    const createClient = () => {
      throw new Error('quota');
    };
    const teapot = protectedScene({ createClient, onError: (error) => new Response((error as Error).message, { status: 418 }) });
    expect((await teapot.handle(requestWith(ALICE))).status).toBe(418);
    const broken = protectedScene({
      createClient,
      onError: () => {
        throw new Error('again');
      },
    });
    expect((await broken.handle(requestWith(ALICE))).status).toBe(502);
  });

  it("because it is another request's is refused, and the other keeps it (GWY-11)", async () => {
    const shared = backendClient('shared');
    const body = fedBody();
    const { handle, records } = protectedScene({ createClient: () => shared, handler: () => new Response(body.stream) });
    const first = await handle(requestWith(ALICE));
    expect((await handle(requestWith('Bearer good-bob'))).status).toBe(502);
    expect([shared.closed, records.map(({ event }) => event)]).toEqual([0, ['backend-client-shared', 'backend-client-failed']]);
    body.end();
    await first.text();
    await settled();
    expect(shared.closed).toBe(1);
  });
});

describe('two tokens never share a client', () => {
  it('with 200 callers at once, whoever is slow, in the handler, in what it calls, and in the body (GWY-11)', async () => {
    const pause = (steps: number) => new Promise<void>((resolve) => setTimeout(resolve, steps % 7));
    let calls = 0;
    const deep = async (): Promise<string> => {
      calls += 1;
      await pause(calls * 5);
      const call = currentCaller<BackendClient>();
      return `${call?.client.token}/${call?.caller?.subject}`;
    };
    const seen: string[] = [];
    const made = new Map<BackendClient, string>();
    const { handle } = protectedScene({
      validator: {
        async validate(token) {
          await pause(token.length * 3);
          return { token, subject: token, scopes: [], claims: {} };
        },
        async exchange({ token, subject }) {
          await pause(token.length * 5);
          return { token: `backend-of-${subject}` };
        },
      },
      createClient: async ({ token, caller }) => {
        await pause(token.token.length);
        const client = backendClient(token.token);
        made.set(client, caller.subject ?? '');
        return client;
      },
      async handler(_request, { client, caller }) {
        await pause(client.token.length * 2);
        const parts = [client.token, String(caller?.subject), await deep()];
        return new Response(
          new ReadableStream(
            {
              async pull(controller) {
                const part = parts.shift() ?? (await deep());
                seen.push(part);
                controller.enqueue(new TextEncoder().encode(`${part} ${client.closed};`));
                if (seen.length > 0 && parts.length === 0 && part.includes('/')) controller.close();
              },
            },
            { highWaterMark: 0 },
          ),
        );
      },
    });
    const texts = await Promise.all(Array.from({ length: 200 }, async (_, n) => (await handle(requestWith(`Bearer caller-${n}`))).text()));
    texts.forEach((text, n) => {
      const own = `backend-of-caller-${n}`;
      expect(text).toBe(`${own} 0;caller-${n} 0;${own}/caller-${n} 0;`);
    });
    await settled();
    expect(made.size).toBe(200);
    expect(new Set([...made.keys()].map(({ closed }) => closed))).toEqual(new Set([1]));
    expect(currentCaller()).toBeUndefined();
  });
});
