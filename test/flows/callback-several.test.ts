import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

interface Attempt {
  readonly client: AuthorizationClient;
  readonly pending: Promise<Response>;
  readonly authorizationUrl: string;
}

async function begin(client: AuthorizationClient): Promise<Attempt> {
  const pending = client.fetch(client.resource, CALL);
  const { authorizationUrl } = await untilStep(client, 'awaiting-user');
  return { client, pending, authorizationUrl };
}

const parameter = (url: string, name: string): string | null => new URL(url).searchParams.get(name);

describe('several attempts that wait at once', () => {
  it('of accounts and resources on one store each complete with their own verifier, in any order (AUT-08)', async () => {
    const world = scene({ act: () => undefined, resource: { url: 'https://mcp.example.com', checkAudience: false } });
    const clients = ['https://mcp.example.com/one', 'https://mcp.example.com/two'].flatMap((resource) =>
      ['work', 'home', 'default'].map((account) => world.another({ resource, account })),
    );
    const attempts: Attempt[] = [];
    for (const client of clients) attempts.push(await begin(client));
    for (const name of ['state', 'code_challenge']) {
      expect(new Set(attempts.map(({ authorizationUrl }) => parameter(authorizationUrl, name))).size).toBe(clients.length);
    }
    const callbacks = await Promise.all(attempts.map(({ authorizationUrl }) => world.servers.approve(authorizationUrl)));
    for (const index of [3, 0, 5, 1, 4, 2]) {
      const attempt = attempts[index] as Attempt;
      await attempt.client.completeAuthorization(callbacks[index] as string);
      expect((await attempt.pending).status).toBe(200);
      // The others wait on, undisturbed.
      const steps = attempts.map(({ client }) => client.status.step);
      expect(new Set(steps.filter((step) => step !== 'authorized' && step !== 'awaiting-user'))).toEqual(new Set());
    }
    const tokens = await Promise.all(clients.map((client) => client.accessToken()));
    expect(new Set(tokens.map((token) => token?.accessToken)).size).toBe(clients.length);
    // A wrong verifier, a code sent twice or to the wrong client would be one.
    expect(world.servers.violations).toEqual([]);
  });

  it('complete all at once (AUT-08)', async () => {
    const world = scene({ act: () => undefined });
    const clients = Array.from({ length: 8 }, (_, index) => world.another({ account: `account ${index}` }));
    // They take turns at registering, which takes time.
    const attempts = await whileTimePasses(world.clock, Promise.all(clients.map(begin)), 50);
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    await Promise.all(
      attempts.map(async ({ client, authorizationUrl }) => client.completeAuthorization(await world.servers.approve(authorizationUrl))),
    );
    expect((await Promise.all(attempts.map(({ pending }) => pending))).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(world.servers.violations).toEqual([]);
  });

  it('are not ended by one that is cancelled, refused or signed out (AUT-08)', async () => {
    const world = scene({ act: () => undefined });
    const [one, two, three, four] = ['one', 'two', 'three', 'four'].map((account) => world.another({ account })) as [
      AuthorizationClient,
      AuthorizationClient,
      AuthorizationClient,
      AuthorizationClient,
    ];
    const attempts = [await begin(one), await begin(two), await begin(three), await begin(four)] as const;
    one.cancel();
    expect(await failureOfCall(attempts[0].pending)).toMatchObject({ code: 'cancelled' });
    expect(await failureOfCall(two.completeAuthorization(await world.servers.deny(attempts[1].authorizationUrl)))).toMatchObject({
      code: 'authorization_denied',
    });
    expect(await failureOfCall(attempts[1].pending)).toMatchObject({ code: 'authorization_denied', action: 'none' });
    await three.signOut();
    expect(await failureOfCall(attempts[2].pending)).toMatchObject({ code: 'signed_out' });
    await four.completeAuthorization(await world.servers.approve(attempts[3].authorizationUrl));
    expect((await attempts[3].pending).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('of a step-up leave the token in use while they wait (AUT-08)', async () => {
    const world = scene({
      act: () => undefined,
      resource: { scopesFor: ({ body }) => (body.includes('write') ? ['read', 'write'] : ['read']) },
    });
    const first = await begin(world.client);
    await world.client.completeAuthorization(await world.servers.approve(first.authorizationUrl));
    await first.pending;
    const another = world.another();
    await another.restore();
    const write = world.client.fetch(world.client.resource, { ...CALL, body: '{"method":"write"}' });
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    expect((await another.fetch(world.client.resource, CALL)).status).toBe(200);
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect((await write).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
