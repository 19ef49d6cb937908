import { describe, expect, it } from 'vitest';
import type { UserAgent } from '../../src/user-agents/contract.ts';
import { neverAnswers } from '../fixtures/scripted/bad-answers.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, settled, untilStep } from '../helpers/waiting.ts';

/** The user's page is open, and nobody acts. */
const PENDING: SceneOptions = { act: () => undefined };

async function waitingForUser(options: SceneOptions = PENDING) {
  const stage = scene(options);
  const ask = (signal?: AbortSignal): Promise<Response> =>
    stage.client.fetch(stage.servers.resource.url, { ...CALL, ...(signal && { signal }) });
  const first = ask();
  // Whoever cares about its outcome asks for it later.
  first.catch(() => {});
  const { authorizationUrl } = await untilStep(stage.client, 'awaiting-user');
  await settled();
  return { ...stage, ask, first, authorizationUrl };
}

function gate() {
  let resolve = (): void => {};
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve: () => resolve() };
}

const approve = async ({ client, servers }: Pick<Scene, 'client' | 'servers'>, url: string) =>
  client.completeAuthorization(await servers.approve(url));

describe('aborting one request', () => {
  it("frees its caller at once, with the caller's reason, and leaves the flow to the others (FET-07)", async () => {
    const stage = await waitingForUser();
    const controller = new AbortController();
    const reason = new Error('no longer interested');
    const aborted = stage.ask(controller.signal);
    await settled();
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(stage.client.status.step).toBe('awaiting-user');
    await approve(stage, stage.authorizationUrl);
    expect((await stage.first).status).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('that started the flow leaves it to the others, too (FET-07)', async () => {
    const stage = scene(PENDING);
    const controller = new AbortController();
    const starter = stage.client.fetch(stage.servers.resource.url, { ...CALL, signal: controller.signal });
    const { authorizationUrl } = await untilStep(stage.client, 'awaiting-user');
    await settled();
    const other = stage.client.fetch(stage.servers.resource.url, CALL);
    controller.abort();
    await expect(starter).rejects.toMatchObject({ name: 'AbortError' });
    await approve(stage, authorizationUrl);
    expect((await other).status).toBe(200);
  });

  it('works with the signal of a Request (FET-07)', async () => {
    const stage = await waitingForUser();
    const controller = new AbortController();
    const aborted = stage.client.fetch(new Request(stage.servers.resource.url, { ...CALL, signal: controller.signal }));
    await settled();
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.each(['the request', 'the flow'])('that was aborted beforehand sends nothing for %s (FET-07)', async (_) => {
    const stage = scene();
    const reason = new Error('too late');
    await expect(stage.client.fetch(stage.servers.resource.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(stage.client.authorize({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(stage.servers.requests).toEqual([]);
  });

  it('while its answer is awaited is the business of fetch (FET-07)', async () => {
    const stage = scene();
    await stage.client.authorize();
    stage.servers.respond('resource', neverAnswers);
    const controller = new AbortController();
    const aborted = stage.client.fetch(stage.servers.resource.url, { ...CALL, signal: controller.signal });
    await settled();
    controller.abort(new Error('mine'));
    await expect(aborted).rejects.toThrow('mine');
    expect((await stage.client.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
  });

  it('cancels the stream its body comes from (FET-07)', async () => {
    const stage = await waitingForUser();
    const controller = new AbortController();
    let cancelledWith: unknown;
    const body = new ReadableStream({
      pull: (to) => to.enqueue(new TextEncoder().encode('x')),
      cancel(reason) {
        cancelledWith = reason;
      },
    });
    const reason = new Error('no longer interested');
    const init = { method: 'POST', body, duplex: 'half', signal: controller.signal } as RequestInit;
    const aborted = stage.client.fetch(stage.servers.resource.url, init);
    await settled();
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(cancelledWith).toBe(reason);
  });

  it('leaves no listener on a signal that lives on (FET-07)', async () => {
    const stage = scene();
    const controller = new AbortController();
    let listening = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening -= 1;
      remove(...args);
    };
    await stage.client.authorize({ signal });
    expect(listening).toBe(0);
  });
});

describe('cancel', () => {
  it('ends the flow for all twenty who wait, with one coded error (FET-07)', async () => {
    const stage = await waitingForUser();
    const others = Array.from({ length: 19 }, () => stage.ask());
    const explicit = stage.client.authorize();
    await settled();
    stage.client.cancel();
    const failures = await Promise.all([stage.first, explicit, ...others].map(failureOfCall));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['cancelled']));
    expect(stage.client.status.step).toBe('cancelled');
    expect(stage.user.isOpen).toBe(false);
  });

  it('makes the callback of the cancelled attempt worth nothing (FET-07)', async () => {
    const stage = await waitingForUser();
    stage.client.cancel();
    const late = await stage.servers.approve(stage.authorizationUrl);
    expect((await failureOfCall(stage.client.completeAuthorization(late))).code).toBe('callback_not_expected');
    expect(stage.servers.requestsFor('token')).toEqual([]);
    expect(stage.client.status.step).toBe('cancelled');
  });

  it('lets the next request start anew (FET-07)', async () => {
    const stage = await waitingForUser();
    stage.client.cancel();
    await failureOfCall(stage.first);
    const next = stage.ask();
    const { authorizationUrl } = await untilStep(stage.client, 'awaiting-user');
    await approve(stage, authorizationUrl);
    expect((await next).status).toBe(200);
    expect(authorizationUrl).not.toBe(stage.authorizationUrl);
    expect(stage.servers.violations).toEqual([]);
  });

  it.each(['resource-metadata', 'server-metadata', 'registration', 'token'] as const)(
    'ends the flow at once while the %s endpoint does not answer, and gives the request up (FET-07)',
    async (purpose) => {
      const { client, servers } = scene();
      servers.respond(purpose, neverAnswers);
      const pending = failureOfCall(client.fetch(servers.resource.url, CALL));
      while (servers.requestsFor(purpose).length === 0) await settled();
      client.cancel();
      expect((await pending).code).toBe('cancelled');
      await settled();
      expect(servers.requestsFor(purpose).at(-1)?.signal?.aborted).toBe(true);
      expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
      expect(servers.violations).toEqual([]);
    },
  );

  it('closes a redirect target that becomes ready only afterwards (FET-07)', async () => {
    const [opening, ready, closed] = [gate(), gate(), gate()];
    const userAgent: UserAgent = {
      async open() {
        opening.resolve();
        await ready.promise;
        return { redirectUri: 'http://127.0.0.1:7777/callback', present: async () => {}, close: async () => closed.resolve() };
      },
    };
    const { client, servers } = scene({ client: { userAgent } });
    const pending = failureOfCall(client.fetch(servers.resource.url, CALL));
    await opening.promise;
    client.cancel();
    ready.resolve();
    expect((await pending).code).toBe('cancelled');
    await closed.promise;
  });

  it('while a step is still being written down keeps it from happening (FET-07)', async () => {
    const { client, servers, store } = scene();
    const write = store.write;
    const [isWritten, mayGoOn] = [gate(), gate()];
    Object.assign(store, {
      write: async (...parameters: Parameters<typeof write>) => {
        if (JSON.stringify(parameters[1]).includes('"registering"')) {
          isWritten.resolve();
          await mayGoOn.promise;
        }
        return write(...parameters);
      },
    });
    const pending = failureOfCall(client.fetch(servers.resource.url, CALL));
    await isWritten.promise;
    client.cancel();
    mayGoOn.resolve();
    expect((await pending).code).toBe('cancelled');
    await settled();
    expect(servers.requestsFor('registration')).toEqual([]);
  });

  it('while nothing is under way changes nothing (FET-07)', async () => {
    const { client, servers } = scene();
    client.cancel();
    await client.fetch(servers.resource.url, CALL);
    client.cancel();
    expect(client.status.step).toBe('authorized');
  });
});

describe('close', () => {
  it('tells everyone who waits that the client is closed, and frees the redirect target (FET-07)', async () => {
    const stage = await waitingForUser();
    const others = Array.from({ length: 3 }, () => stage.ask());
    await settled();
    await stage.client.close();
    const failures = await Promise.all([stage.first, ...others].map(failureOfCall));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['closed']));
    expect(stage.user.isOpen).toBe(false);
  });

  it('leaves the flow to another client on the same store, its page still good (FET-07)', async () => {
    const stage = await waitingForUser();
    await stage.client.close();
    const other = stage.another();
    expect(await approve({ client: other, servers: stage.servers }, stage.authorizationUrl)).toMatchObject({ step: 'authorized' });
    expect((await other.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    expect(stage.servers.violations).toEqual([]);
  });

  it('refuses what comes after it, with one coded error (FET-07)', async () => {
    const { client, servers } = scene();
    await client.fetch(servers.resource.url, CALL);
    await client.close();
    const sent = servers.requests.length;
    for (const call of [
      client.fetch(servers.resource.url, CALL),
      client.authorize(),
      client.accessToken(),
      client.signOut(),
      client.restore(),
    ]) {
      expect((await failureOfCall(call)).code).toBe('closed');
    }
    client.cancel();
    await client.close();
    expect(servers.requests).toHaveLength(sent);
  });
});

describe('signing out during a flow', () => {
  it('ends it for everyone who waits (FET-07)', async () => {
    const stage = await waitingForUser();
    const other = stage.ask();
    await settled();
    expect((await stage.client.signOut()).step).toBe('unauthorized');
    expect(await Promise.all([stage.first, other].map(async (request) => (await failureOfCall(request)).code))).toEqual([
      'signed_out',
      'signed_out',
    ]);
    const late = await stage.servers.approve(stage.authorizationUrl);
    expect((await failureOfCall(stage.client.completeAuthorization(late))).code).toBe('callback_not_expected');
    expect(stage.servers.requestsFor('token')).toEqual([]);
  });
});
