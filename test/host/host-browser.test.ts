import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { type HostedScene, hostedScene, sessionOf, urlToApprove } from '../helpers/hosted-scene.ts';

const codesSent = ({ servers }: HostedScene): number => servers.requestsFor('token').filter(({ form }) => form.has('code')).length;
const step = ({ host, servers }: HostedScene, account: string): string =>
  host.client({ resource: servers.resource.url, account }).status.step;

describe('the browser of a callback', () => {
  it.each([
    ['signed in as somebody else', 'mallory'],
    ['signed in as nobody', undefined],
  ])('is refused if it is %s, and the right one is welcome after that (AUT-05, STO-04)', async (_name, session) => {
    const world = hostedScene();
    const url = await urlToApprove(world.host, 'ann', world);
    const request = await world.approve(url, session);
    const refused = await world.host.handleCallback(request);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('Stopped for your safety');
    expect(codesSent(world)).toBe(0);
    expect(step(world, 'ann')).toBe('awaiting-user');
    expect((await world.host.handleCallback(await world.approve(url, 'ann'))).status).toBe(200);
    expect(step(world, 'ann')).toBe('authorized');
    expect(world.servers.violations).toEqual([]);
  });

  it('of a victim who approves the page of an attacker gives the attacker nothing (AUT-05, STO-04)', async () => {
    const world = hostedScene();
    // Mallory begins a login for an account of her own, and sends its page to Ann, who approves with an identity of hers.
    const url = await urlToApprove(world.host, 'mallory', world);
    const answer = await world.host.handleCallback(await world.approve(url, 'ann'));
    expect(answer.status).toBe(403);
    const mallory = world.host.client({ resource: world.servers.resource.url, account: 'mallory' });
    await world.host.client({ resource: world.servers.resource.url, account: 'ann' }).restore();
    expect(mallory.status.step).toBe('awaiting-user');
    expect(step(world, 'ann')).toBe('unauthorized');
    expect(codesSent(world)).toBe(0);
  });

  it('may be signed in to several accounts (STO-04)', async () => {
    const world = hostedScene({ host: { identify: (request) => [`${sessionOf(request)}-home`, `${sessionOf(request)}-work`] } });
    const url = await urlToApprove(world.host, 'ann-work', world);
    expect((await world.host.handleCallback(await world.approve(url, 'bob'))).status).toBe(403);
    expect((await world.host.handleCallback(await world.approve(url, 'ann'))).status).toBe(200);
    expect(step(world, 'ann-work')).toBe('authorized');
    expect(step(world, 'ann-home')).toBe('idle');
  });

  it('is refused while nobody can say whose it is, and welcome later (AUT-05)', async () => {
    let isDown = true;
    const logged: unknown[] = [];
    const world = hostedScene({
      host: {
        logger: (record) => logged.push(record),
        identify: async (request) => {
          if (isDown) throw new Error('SECRET-of-the-session-store');
          return sessionOf(request);
        },
      },
    });
    const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    const refused = await world.host.handleCallback(request.clone());
    expect([refused.status, (await refused.text()).includes('SECRET')]).toEqual([503, false]);
    expect(JSON.stringify(logged)).not.toContain('SECRET');
    expect(codesSent(world)).toBe(0);
    isDown = false;
    expect((await world.host.handleCallback(request)).status).toBe(200);
  });

  it.each([['true'], [{}], [null], [['mallory', 7]]])('is refused where `identify` answers nonsense: %j (AUT-05)', async (identified) => {
    const world = hostedScene({ host: { identify: () => identified as never } });
    const answer = await world.host.handleCallback(await world.approve(await urlToApprove(world.host, 'ann', world), 'ann'));
    expect(answer.status).toBe(403);
    expect(codesSent(world)).toBe(0);
  });

  it('is asked to come again while the store is down, and the same callback is good then (RES-08)', async () => {
    let broken = breakableStore(memoryStore());
    const world = hostedScene({
      store: (clock) => {
        broken = breakableStore(memoryStore({ clock }));
        return broken.store;
      },
    });
    const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    broken.breakWrites((key) => key.startsWith('vault/callback/'));
    const refused = await world.host.handleCallback(request.clone());
    expect([refused.status, (await refused.text()).includes('store_failed')]).toEqual([503, true]);
    broken.breakWrites(undefined);
    expect((await world.host.handleCallback(request)).status).toBe(200);
    expect(codesSent(world)).toBe(1);
  });
});

describe('someone who can write the store, but not the vault', () => {
  it('cannot turn the login of another account to one of their own (STO-04, ISS-01)', async () => {
    const vault = memoryStore();
    const world = hostedScene({ host: { vault } });
    const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'mallory');
    await world.host.close();
    // What the store holds of the login of Ann now names Mallory, checkpoint and all.
    const flowKey = (account: string): string => `flow/${account}/${encodeURIComponent(world.servers.resource.url)}`;
    const [stateKey] = await keysOf(request);
    const state = await world.store.read(stateKey);
    const checkpoint = await world.store.read(flowKey('ann'));
    if (state === undefined || checkpoint === undefined) throw new Error('the login is not there');
    await world.store.write(stateKey, { ...state.value, flowKey: flowKey('mallory') });
    await world.store.write(flowKey('mallory'), checkpoint.value);
    const other = world.worker();
    expect((await other.handleCallback(request)).status).toBe(400);
    expect(
      await other
        .client({ resource: world.servers.resource.url, account: 'mallory' })
        .accessToken()
        .catch(() => undefined),
    ).toBeUndefined();
    expect(codesSent(world)).toBe(0);
  });

  it.each(['credential/ann', 'flow/ann', 'flow/%/x', 'flow//'])(
    'is refused a callback for what is no flow: %s (STO-04)',
    async (flowKey) => {
      const world = hostedScene();
      const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
      const [stateKey] = await keysOf(request);
      const state = await world.store.read(stateKey);
      await world.store.write(stateKey, { ...state?.value, flowKey });
      expect((await world.host.handleCallback(request)).status).toBe(400);
      expect(codesSent(world)).toBe(0);
    },
  );
});

/** Where the store keeps the attempt that this callback belongs to. */
async function keysOf(request: Request): Promise<[string]> {
  const state = new URL(request.url).searchParams.get('state') ?? '';
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state)));
  return [`state/${Buffer.from(bytes).toString('base64url')}`];
}
