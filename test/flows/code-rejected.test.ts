import { describe, expect, it } from 'vitest';
import { networkFails } from '../fixtures/scripted/bad-answers.ts';
import type { Responder } from '../fixtures/scripted/overrides.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const invalidGrant: Responder = () => Response.json({ error: 'invalid_grant', error_description: 'expired' }, { status: 400 });

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);
const codesSent = ({ servers }: Scene): readonly (string | null)[] => servers.requestsFor('token').map(({ form }) => form.get('code'));

describe('a code that the authorization server rejects', () => {
  it('leads to a new authorization with a new code, and is never sent again (AUT-09)', async () => {
    const stage = scene();
    stage.servers.respond('token', invalidGrant);
    expect((await call(stage)).status).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
    expect(new Set(codesSent(stage)).size).toBe(2);
    expect(stage.servers.requestsFor('registration')).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('a second time ends the flow with a coded error (AUT-09)', async () => {
    const stage = scene();
    stage.servers.respond('token', invalidGrant, { times: Infinity });
    expect(await failureOfCall(call(stage))).toMatchObject({
      code: 'code_rejected',
      action: 'authorize-again',
      details: { oauthError: 'invalid_grant', oauthErrorDescription: 'expired' },
    });
    expect(codesSent(stage)).toHaveLength(2);
    expect(new Set(codesSent(stage)).size).toBe(2);
  });

  it.each<[string, Responder, string]>([
    ['500', () => new Response('down', { status: 500 }), 'server_unavailable'],
    ['429', () => new Response('busy', { status: 429, headers: { 'retry-after': '1' } }), 'server_unavailable'],
    ['a broken connection', networkFails, 'network_unreachable'],
    ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), 'token_response_invalid'],
  ])('or whose exchange ends in %s is not sent a second time either (AUT-09)', async (_, answer, code) => {
    const stage = scene();
    stage.servers.respond('token', answer);
    expect((await whileTimePasses(stage.clock, failureOfCall(call(stage)))).code).toBe(code);
    expect(codesSent(stage)).toHaveLength(1);
    expect((await call(stage)).status).toBe(200);
    expect(new Set(codesSent(stage)).size).toBe(2);
    expect(stage.servers.violations).toEqual([]);
  });

  it('is sent with the verifier, redirect URI and client of its own attempt (AUT-09)', async () => {
    const stage = scene();
    stage.servers.respond('token', invalidGrant);
    await call(stage);
    const forms = stage.servers.requestsFor('token').map(({ form }) => form);
    const urls = stage.user.shown.map((url) => new URL(url).searchParams);
    for (const [index, form] of forms.entries()) {
      expect(form.get('redirect_uri')).toBe(urls[index]?.get('redirect_uri'));
      expect(form.get('client_id')).toBe(urls[index]?.get('client_id'));
    }
    expect(new Set(forms.map((form) => form.get('code_verifier'))).size).toBe(2);
    expect(stage.servers.violations).toEqual([]);
  });

  it('delivered twice at once is sent once (AUT-09)', async () => {
    const stage = scene({ act: () => undefined });
    const pending = call(stage);
    const { authorizationUrl } = await untilStep(stage.client, 'awaiting-user');
    const callback = await stage.servers.approve(authorizationUrl);
    const outcomes = await Promise.allSettled([
      stage.client.completeAuthorization(callback),
      stage.another().completeAuthorization(callback),
      stage.client.completeAuthorization(callback),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    expect((await whileTimePasses(stage.clock, pending)).status).toBe(200);
    expect(codesSent(stage)).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });
});
