import { describe, expect, it } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { collectLeaks } from '../fixtures/scripted/secrets.ts';
import { authorizeUrl, codeForm, type Json, post, registeredClient, VERIFIER } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';

/** Whatever comes up again in an event is found, in any object it holds. */
const leaksOf = (events: readonly unknown[], secrets: readonly string[]) =>
  collectLeaks(events, { secrets: new Set(secrets), codeChallenges: new Set() }).map(({ path }) => path);

describe('the inspector of a gateway', () => {
  it('sees every state a transaction passes through, of every request, and knows by its identifier whose it is (OBS-04, GWY-04)', async () => {
    const passed: string[] = [];
    const ids = new Set<string>();
    const inspect = (event: InspectionEvent): void => {
      if (!('snapshot' in event) || !('value' in event.snapshot)) return;
      const step = String(event.snapshot.value);
      if (passed.at(-1) !== step) passed.push(step);
      ids.add((event.snapshot as unknown as { context: { id: string } }).context.id);
    };
    const scene = scriptedGateway({ inspect });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    for (let time = 0; time < 2; time += 1) await post(scene.gateway, 'token', codeForm(clientId, landing));
    expect(passed).toEqual([
      'received', 'awaitingConsent',
      'sendingUpstream', 'sentUpstream',
      'exchanging', 'codeIssued',
      'redeemed',
      'revoking', 'replayed',
    ]); // biome-ignore format: one request a line
    expect(ids.size).toBe(1);
  });

  it('sees no secret, on the way to the end and on every way that fails (SEC-01, OBS-04, GWY-07, GWY-08)', async () => {
    const events: unknown[] = [];
    const logged: Json[] = [];
    const scene = scriptedGateway({
      inspect: { next: (event: InspectionEvent) => events.push(event) },
      logger: (record) => logged.push({ ...record }),
    });
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    const formToken = /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const cookies = [...browser.cookies.values()];
    const { url: upstream } = await browser.answer(page, 'allow');
    cookies.push(...browser.cookies.values());

    const { clientId, landing } = await scene.signedIn(scene.browser());
    const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
    await post(scene.gateway, 'token', codeForm(clientId, landing));
    const refused = await scene.leave(browser);
    await browser.open(callbackUrl(refused.upstream, { code: undefined, error: 'server_error', error_description: 'SECRET-of-upstream' }));
    scene.provider.answer = () => Response.json({ error: 'invalid_grant', error_description: 'SECRET-of-upstream' }, { status: 400 });
    const failing = await scene.leave(browser);
    await browser.open(callbackUrl(failing.upstream, { code: 'SECRET-code' }));
    scene.provider.answer = () => Promise.reject(new Error('SECRET-of-the-network'));
    const dropped = await scene.leave(browser);
    await browser.open(callbackUrl(dropped.upstream, { code: 'SECRET-code' }));

    const secrets = [
      formToken,
      ...cookies,
      upstream.searchParams.get('state'),
      failing.upstream.searchParams.get('state'),
      'the state of the client',
      landing.url.searchParams.get('code'),
      'upstream-code',
      ...scene.provider.tokenRequests.map((form) => form.get('code_verifier')),
      VERIFIER,
      'upstream-access',
      'upstream-refresh',
      body['access_token'],
      body['refresh_token'],
      'the secret upstream',
    ].map(String);
    expect(events.length).toBeGreaterThan(100);
    for (const secret of secrets) expect(secret.length).toBeGreaterThan(8);
    expect(leaksOf([...events, ...logged], secrets)).toEqual([]);
    // The search finds what is there.
    expect(leaksOf(events, [clientId])).not.toEqual([]);
  });

  it('cannot break a sign-in by throwing, and is complained of once (OBS-04)', async () => {
    const inspect = (): void => {
      throw new Error('of the inspector');
    };
    const scene = scriptedGateway({ inspect });
    const { body } = await scene.tokens();
    expect(body).toHaveProperty('access_token');
    expect(scene.logged.filter(({ event }) => event === 'gateway.inspector-failed')).toHaveLength(1);
    expect(JSON.stringify(scene.logged)).not.toContain('of the inspector');
  });
});
