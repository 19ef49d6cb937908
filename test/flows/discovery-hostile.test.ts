import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { endlessBody, htmlPage, hugeJson, networkFails, neverAnswers, redirectTo, stalledBody } from '../fixtures/scripted/bad-answers.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import type { Responder } from '../fixtures/scripted/overrides.ts';
import type { RequestPurpose } from '../fixtures/scripted/recording.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

/** Told apart from the clock, which says what time it is. */
const DEADLINES = { toFake: ['setTimeout', 'clearTimeout'] } as const satisfies Parameters<typeof vi.useFakeTimers>[0];

const bounded = { client: { limits: { responseBytes: 64 * 1024 } } } as const;

/** The deadline of the request, which is one of the platform's timers, passes as soon as the request has come. */
const inVain =
  (answer: Responder): Responder =>
  (...request) => {
    setImmediate(() => vi.advanceTimersByTime(DEFAULT_LIMITS.requestTimeoutMs));
    return answer(...request);
  };
afterEach(() => void vi.useRealTimers());

type Attack = readonly [what: string, answer: Responder];
const SILENT: readonly Attack[] = [
  ['says nothing', inVain(neverAnswers)],
  ['sends headers and nothing more', inVain(stalledBody)],
];
const TOO_MUCH: readonly Attack[] = [
  ['never stops sending', endlessBody],
  ['sends far too much', hugeJson(200_000)],
];

describe('a server that takes its time or sends too much', () => {
  it.each(SILENT.flatMap((attack) => (['resource-metadata', 'server-metadata'] as const).map((purpose) => [purpose, ...attack] as const)))(
    'at the %s %s: the flow ends as retryable, after bounded tries (SEC-02, ASM-02)',
    async (purpose, _what, answer) => {
      vi.useFakeTimers(DEADLINES);
      const world = scene(bounded);
      world.servers.respond(purpose, answer, { times: 99 });
      expect(await failureOfCall(whileTimePasses(world.clock, call(world)))).toMatchObject({
        code: 'network_timeout',
        phase: purpose,
        retryable: true,
      });
      expect(world.servers.requestsFor(purpose)).toHaveLength(3);
      expect(world.user.shown).toEqual([]);
    },
  );

  it.each(TOO_MUCH)('at the resource metadata %s: the next candidate is taken (SEC-02, PRM-02)', async (_what, answer) => {
    const world = scene({ ...bounded, resource: { metadataAt: ['path', 'root'] } });
    world.servers.respond('/.well-known/oauth-protected-resource/mcp', answer);
    expect((await call(world)).status).toBe(200);
  });

  it.each(TOO_MUCH)('at the authorization server metadata %s: the next candidate is taken (SEC-02, ASM-02)', async (_what, answer) => {
    const world = scene({ ...bounded, authorizationServer: { metadataAt: ['oauth', 'oidc-appended'] } });
    world.servers.respond('/.well-known/oauth-authorization-server', answer);
    expect((await call(world)).status).toBe(200);
  });

  it.each(TOO_MUCH.flatMap((attack) => (['registration', 'token'] as const).map((purpose) => [purpose, ...attack] as const)))(
    'at the %s endpoint %s: the flow ends with an error that says so (SEC-02)',
    async (purpose, _what, answer) => {
      const world = scene(bounded);
      world.servers.respond(purpose, answer, { times: 99 });
      expect(await failureOfCall(call(world))).toMatchObject({ code: 'response_too_large', phase: purpose });
      expect(world.servers.requestsFor(purpose)).toHaveLength(1);
    },
  );

  it.each(SILENT)('at the token endpoint %s: the code is not sent again (SEC-02, AUT-09)', async (_what, answer) => {
    vi.useFakeTimers(DEADLINES);
    const world = scene(bounded);
    world.servers.respond('token', answer, { times: 99 });
    expect(await failureOfCall(whileTimePasses(world.clock, call(world)))).toMatchObject({ code: 'network_timeout', phase: 'token' });
    expect(world.servers.requestsFor('token')).toHaveLength(1);
  });
});

describe('a server whose answers are not what they should be', () => {
  it.each<[RequestPurpose, Responder, string]>([
    ['registration', htmlPage, 'registration_unusable'],
    ['registration', () => Response.json([]), 'registration_unusable'],
    ['registration', () => Response.json({ client_id: '' }, { status: 201 }), 'registration_unusable'],
    ['registration', redirectTo('https://evil.example.com/register'), 'redirect_refused'],
    ['token', htmlPage, 'token_response_invalid'],
    ['token', () => Response.json({ access_token: '' }), 'token_response_invalid'],
    ['token', () => Response.json({ access_token: 'a\r\nx: y', token_type: 'Bearer' }), 'token_response_invalid'],
    ['token', redirectTo('https://evil.example.com/token', 307), 'token_request_rejected'],
  ])('at the %s endpoint ends the flow with a coded error, and nothing goes elsewhere', async (purpose, answer, code) => {
    const world = scene();
    world.servers.respond(purpose, answer, { times: 99 });
    expect(await failureOfCall(call(world))).toMatchObject({ code, phase: purpose });
    expect(world.servers.requests.filter(({ url }) => url.hostname === 'evil.example.com')).toEqual([]);
  });

  it('is not followed to another origin for its metadata (SEC-02)', async () => {
    const world = scene({ authorizationServer: { metadataAt: ['oauth', 'oidc-appended'] } });
    world.servers.respond('/.well-known/oauth-authorization-server', redirectTo('https://evil.example.com/metadata'));
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requests.filter(({ purpose }) => purpose === 'elsewhere')).toEqual([]);
  });

  it('contradicts itself: of two documents the first that is found counts (PRM-01, ASM-01)', async () => {
    const world = scene({
      resource: { metadataAt: ['path', 'root'] },
      authorizationServer: { metadataAt: ['oauth', 'oidc-appended'] },
      moreAuthorizationServers: [{ issuer: 'https://evil.example.com' }],
    });
    const other = { resource: 'https://mcp.example.com/mcp', authorization_servers: ['https://evil.example.com'] };
    world.servers.resource.options.authorizationServers = ['https://login.example.com'];
    world.servers.respond('/.well-known/oauth-protected-resource', () => Response.json(other), { times: 99 });
    world.servers.respond('/.well-known/openid-configuration', () => Response.json({ issuer: 'https://evil.example.com' }), { times: 99 });
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requests.filter(({ url }) => url.hostname === 'evil.example.com')).toEqual([]);
  });

  it('names its issuer and endpoints in ways that must not be believed together (ASM-03, ASM-04)', async () => {
    const metadata = (document: Document): Document => ({
      ...document,
      issuer: 'https://evil.example.com',
      token_endpoint: 'javascript:alert(1)',
    });
    const world = scene({ authorizationServer: { metadata } });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'issuer_mismatch' });
  });

  it('names more authorization servers than anyone would try (PRM-04)', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `https://as-${index}.example.com`);
    const world = scene({ resource: { authorizationServers: [...many, 'https://login.example.com'] } });
    await failureOfCall(whileTimePasses(world.clock, call(world)));
    const origins = new Set(world.servers.requests.filter(({ purpose }) => purpose === 'elsewhere').map(({ url }) => url.origin));
    expect(origins.size).toBe(5);
  });

  it('hides members in the prototype: they are not there (ASM-05)', async () => {
    const poisoned =
      '{"issuer":"https://login.example.com","__proto__":{"code_challenge_methods_supported":["S256"],"authorization_endpoint":"https://evil.example.com/a","token_endpoint":"https://evil.example.com/t"}}';
    const world = scene();
    world.servers.respond('server-metadata', () => new Response(poisoned, { headers: { 'content-type': 'application/json' } }));
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'metadata_incomplete' });
    expect(({} as Document).token_endpoint).toBeUndefined();
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', '/relative', 'https://user:word@evil.example.com/x', 'http://evil.example.com/x'])(
    'names %s as its metadata in the challenge: that is not asked for, and the well-known places are (PRM-01, ASM-04)',
    async (url) => {
      const world = scene({ resource: { challenge: () => `Bearer resource_metadata="${url}"` } });
      expect((await call(world)).status).toBe(200);
      expect(world.servers.requests.filter(({ purpose }) => purpose === 'elsewhere')).toEqual([]);
      const [first] = world.client.actor.getSnapshot().context.discovery?.probes ?? [];
      expect(first).toMatchObject({ verdict: 'invalid' });
    },
  );

  it('writes control characters, line breaks and pages of text into its errors: little of it, and nothing of that, comes out (TOK-04)', async () => {
    const error_description = `\u001b[31mred\u0000\r\nSet-Cookie: x\u202Egnp ${'x'.repeat(10_000)}`;
    const world = scene({ authorizationServer: { registration: { refuse: () => ({ error: 'bad\u001b[2J', error_description }) } } });
    const failure = await failureOfCall(call(world));
    expect(failure).toMatchObject({ code: 'registration_rejected' });
    const shown = JSON.stringify([failure, world.client.status]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(shown).not.toMatch(/[\u0000-\u001f\u202a-\u202e]|\\u00|\\r|\\n/);
    expect(shown.length).toBeLessThan(3_000);
  });

  it('breaks the connection wherever it can: each end is coded, and the next request starts well', async () => {
    for (const purpose of ['resource-metadata', 'server-metadata', 'registration', 'token'] as const) {
      const world = scene();
      const broken = world.servers.respond(purpose, networkFails, { times: 99 });
      const failure = await failureOfCall(whileTimePasses(world.clock, call(world)));
      expect(failure, purpose).toMatchObject({ code: 'network_unreachable', phase: purpose, retryable: true });
      broken.remove();
      expect((await call(world)).status, purpose).toBe(200);
      expect(world.servers.violations, purpose).toEqual([]);
    }
  });
});
