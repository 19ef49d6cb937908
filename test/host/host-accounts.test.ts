import { expect, it } from 'vitest';
import { hostedScene, sessionOf } from '../helpers/hosted-scene.ts';
import { seededRandom } from '../helpers/random.ts';
import { CALL } from '../helpers/scripted-client.ts';

/** Names that could be taken for one another, if a key were put together carelessly. */
const ACCOUNTS = ['a', 'a/b', 'a%2Fb', 'A', 'a ', 'ä', 'default', '__proto__', 'https://mcp.example.com/mcp', '..', '😀'];
const RESOURCES = ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp/', 'https://mcp.example.com/mcp/b'];

it('keeps many accounts and resources apart, whichever worker and whatever order their callbacks come in (STO-04, AUT-08)', async () => {
  const world = hostedScene({
    resource: { checkAudience: false, answer: (_request, token) => Response.json(token.scopes) },
    host: {
      identify: (request) => decodeURIComponent(sessionOf(request) ?? ''),
      maxClients: 5,
      configure: () => ({ validateResource: () => true }),
    },
  });
  const random = seededRandom(7);
  const workers = [world.host, world.worker(), world.worker()];
  const waiting: { account: string; resource: string; scope: string; url: string }[] = [];
  for (const account of ACCOUNTS) {
    for (const resource of RESOURCES) {
      const scope = `scope-${waiting.length}`;
      const status = await random
        .pick(workers)
        .client({ resource, account })
        .beginAuthorization({ scopes: [scope] });
      if (status.step !== 'awaiting-user') throw new Error(status.step);
      waiting.push({ account, resource, scope, url: status.authorizationUrl });
    }
  }
  for (const { account, url } of [...waiting].sort(() => random.next() - 0.5)) {
    const request = new Request(await world.servers.approve(url), { headers: { cookie: `session=${hex(account)}` } });
    const answer = await random.pick(workers).handleCallback(request);
    expect(answer.status, account).toBe(200);
  }
  for (const { account, resource, scope } of waiting) {
    const worker = world.worker();
    const response = await worker.client({ resource, account }).fetch(resource, CALL);
    expect([response.status, await response.json()], `${account} at ${resource}`).toEqual([200, [scope]]);
    await worker.close();
  }
  for (const worker of workers) expect(worker.loadedClients).toBeLessThanOrEqual(5);
});

it('signs out one account and leaves the others as they are (STO-04)', async () => {
  const world = hostedScene();
  const { url: resource } = world.servers.resource;
  for (const account of ['ann', 'bob']) {
    const status = await world.host.client({ resource, account }).beginAuthorization();
    if (status.step !== 'awaiting-user') throw new Error(status.step);
    await world.host.handleCallback(await world.approve(status.authorizationUrl, account));
  }
  await world.worker().client({ resource, account: 'ann' }).signOut();
  const other = world.worker();
  expect((await other.client({ resource, account: 'ann' }).restore()).step).toBe('unauthorized');
  expect((await other.client({ resource, account: 'bob' }).fetch(resource, CALL)).status).toBe(200);
});

/** The account as a cookie may hold it. */
const hex = (account: string): string =>
  [...new TextEncoder().encode(account)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
