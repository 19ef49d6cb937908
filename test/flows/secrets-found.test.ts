import { describe, expect, it } from 'vitest';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, type SceneOptions } from '../helpers/scripted-client.ts';
import { untilStep } from '../helpers/waiting.ts';
import { type WatchedScene, watchedScene } from '../helpers/watched-scene.ts';

/** Places of the outputs in which a secret was found, e.g. `statuses`. */
async function places(world: WatchedScene): Promise<ReadonlySet<string | undefined>> {
  const leaks = await world.leaks();
  return new Set(leaks.map(({ path }) => /^outputs\.(\w+(?:\.\w+)?)/.exec(path)?.[1]?.replace(/^(?!records)(\w+).*/, '$1')));
}

async function login(options: SceneOptions = {}): Promise<WatchedScene> {
  const world = watchedScene(options);
  await world.outcome(world.client.fetch(world.servers.resource.url, CALL));
  return world;
}

describe('the search for secrets', () => {
  it('finds nothing where nothing was let through (SEC-01)', async () => {
    expect(await places(await login())).toEqual(new Set());
  });

  it('finds a token that a server has repeated as a scope: in statuses, inspector events, snapshots and records (SEC-01)', async () => {
    const world = await login({
      authorizationServer: { tokenResponse: (document: Document) => ({ ...document, scope: document.access_token }) },
    });
    const found = await places(world);
    for (const place of ['statuses', 'inspected', 'actors', 'persisted', 'records.stored', 'records.now']) expect(found).toContain(place);
  });

  it('finds a secret that came with an error code: in the error, the status and the checkpoint (SEC-01)', async () => {
    const world = watchedScene();
    world.servers.respond('token', () => Response.json({ error: 'SECRET-of-the-server' }, { status: 400 }), { times: 99 });
    await world.outcome(world.client.fetch(world.servers.resource.url, CALL));
    const found = await places(world);
    for (const place of ['errors', 'statuses', 'inspected', 'records.stored']) expect(found).toContain(place);
  });

  it('finds what is written to the console, to the logger, and what is shown to the user (SEC-01)', async () => {
    const world = await login();
    const token = await world.client.accessToken();
    // biome-ignore lint/suspicious/noConsole: this is what must be found
    console.warn('token:', { token });
    expect(await places(world)).toEqual(new Set(['console']));
    const other = await login();
    (other.outputs.logged as unknown[]).push({
      level: 'debug',
      event: 'x',
      headers: new Headers({ authorization: `Bearer ${(await other.client.accessToken())?.accessToken}` }),
    });
    expect(await places(other)).toEqual(new Set(['logged']));
    const shown = await login({ client: { authorizationParameters: { login_hint: 'SECRET-in-the-page' } } });
    expect(await places(shown)).toContain('shown');
  });

  it('finds it behind an error: in its cause, and in properties that are not enumerable (SEC-01)', async () => {
    const world = await login();
    const token = (await world.client.accessToken())?.accessToken ?? '';
    const hidden = Object.defineProperty(new Error('failed'), 'request', {
      value: { headers: { authorization: token } },
      enumerable: false,
    });
    await world.outcome(Promise.reject(hidden));
    expect(await places(world)).toEqual(new Set(['errors']));
    const other = await login();
    const cause = (await other.client.accessToken())?.accessToken;
    await other.outcome(Promise.reject(new Error('failed', { cause: [new Error(cause)] })));
    expect(await places(other)).toEqual(new Set(['errors']));
  });

  it('finds it in the answer of an invoked actor, which inspectors see (SEC-01)', async () => {
    const world = watchedScene();
    const { actor } = world.client;
    await world.outcome(world.client.fetch(world.servers.resource.url, CALL));
    const token = (await world.client.accessToken())?.accessToken;
    // As if an effect had answered with it.
    (world.outputs.inspected as unknown[]).push({
      type: '@xstate.event',
      actorRef: actor,
      event: { type: 'xstate.done.actor.x', output: { token } },
    });
    expect(await places(world)).toEqual(new Set(['inspected']));
  });

  it('finds a code, a verifier and a client secret as well as tokens (SEC-01)', async () => {
    const world = watchedScene({ act: () => undefined, authorizationServer: { registration: { authMethod: 'client_secret_post' } } });
    const pending = world.outcome(world.client.fetch(world.servers.resource.url, CALL));
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    const callback = await world.servers.approve(authorizationUrl);
    const entries = Object.entries(await world.vaultContents());
    const attempt = entries.find(([key]) => key.includes('/attempt/'))?.[1];
    const secret = entries.find(([key]) => key.includes('client-secret'))?.[1];
    for (const leak of [callback, String(attempt?.verifier), String(secret?.clientSecret), btoa(`id:${secret?.clientSecret}`)]) {
      (world.outputs.logged as unknown[]).push(leak);
      expect(
        (await world.leaks()).map(({ path }) => path),
        leak,
      ).toEqual(['outputs.logged[0]'.replace('0', String((world.outputs.logged?.length ?? 0) - 1))]);
      (world.outputs.logged as unknown[]).pop();
    }
    await world.outcome(world.client.completeAuthorization(callback));
    await pending;
    expect(await places(world)).toEqual(new Set());
  });
});
