import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { localServer } from '../helpers/local-server.ts';
import { runCommand } from './run-command.ts';

/** An identity provider that has metadata and nothing else. As a backend it answers 404, which is an answer. */
async function issuerWith(metadata: Readonly<Record<string, unknown>>): Promise<string> {
  const { origin: issuer } = await localServer((request, response, origin) => {
    const endpoints = { issuer: origin, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` };
    response.statusCode = request.url?.startsWith('/.well-known/') === true ? 200 : 404;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...endpoints, ...metadata }));
  });
  return issuer;
}

async function notesOf(metadata: Readonly<Record<string, unknown>>, argv: readonly string[]): Promise<readonly unknown[]> {
  const issuer = await issuerWith(metadata);
  const where = ['--resource', 'https://mcp.example.com/mcp', '--issuer', issuer, '--backend', `${issuer}/mcp`];
  const { exitCode, lines } = await runCommand(['gateway', ...where, '--check', '--json', ...argv]);
  expect(exitCode).toBe(0);
  return lines.filter(({ type }) => type === 'note').map(({ message }) => message);
}

describe('authchart gateway says at its start', () => {
  it.each<readonly [title: string, metadata: Readonly<Record<string, unknown>>]>([
    ['that says nothing of registration', {}],
    ['that takes no metadata documents', { client_id_metadata_document_supported: false }],
    ['with an encoder that writes empty endpoints', { registration_endpoint: '' }],
  ])('that clients cannot register at an identity provider %s, where --client-id is missing (GWY-01)', async (_title, metadata) => {
    expect(await notesOf(metadata, [])).toEqual([expect.stringContaining('Give --client-id to let the gateway sign people in.')]);
    expect(await notesOf(metadata, ['--client-id', 'mcp'])).toEqual([]);
  });

  it.each<readonly [title: string, metadata: Readonly<Record<string, unknown>>]>([
    ['register', { registration_endpoint: 'https://login.example.com/register' }],
    ['bring a metadata document', { client_id_metadata_document_supported: true }],
  ])('nothing where clients can %s (GWY-01)', async (_title, metadata) => {
    expect(await notesOf(metadata, [])).toEqual([]);
  });

  it('that there is no metadata, where endpoints are named beside the issuer, and nothing where there is (GWY-03, GWY-14)', async () => {
    const argv = [
      '--client-id',
      'mcp',
      '--authorize-endpoint',
      'https://login.example.com/a',
      '--token-endpoint',
      'https://login.example.com/t',
    ];
    expect(await notesOf({}, argv)).toEqual([]);
    const other = { issuer: 'https://other.example.com' };
    expect(await notesOf(other, argv)).toEqual([
      expect.stringContaining('The metadata of the identity provider (--issuer) cannot be had.'),
    ]);
  });

  it('which scopes the identity provider does not list, and each of them once (GWY-14)', async () => {
    const argv = ['--client-id', 'mcp', '--scope', 'read write admin', '--require-scope', 'write'];
    const [note, ...more] = await notesOf({ scopes_supported: ['openid', 'read'] }, argv);
    expect(note).toContain('(scopes_supported): write admin.');
    expect(more).toEqual([]);
  });

  it.each<readonly [title: string, scopes: unknown]>([
    ['all', ['write', 'read']],
    ['none at all', []],
    ['nothing but nonsense', ['two words', '']],
    ['no list', undefined],
  ])('nothing of scopes where the identity provider lists %s (GWY-14)', async (_title, scopes) => {
    expect(await notesOf({ scopes_supported: scopes }, ['--client-id', 'mcp', '--require-scope', 'read write'])).toEqual([]);
  });

  it.each<readonly [resource: string, listen: string | undefined, note: string | undefined]>([
    [
      'http://localhost:8080/mcp',
      '127.0.0.1:8085',
      'Clients go to port 8080, as `--resource` says, and the gateway listens at 127.0.0.1:8085',
    ],
    ['http://localhost/mcp', '[::1]:8085', 'Clients go to port 80, as `--resource` says, and the gateway listens at [::1]:8085'],
    ['http://localhost:8080/mcp', '127.0.0.1:8080', undefined],
    ['http://localhost:8085/mcp', undefined, undefined],
    ['https://mcp.example.com/mcp', '127.0.0.1:8085', undefined],
  ])('where clients of %s go while it listens at %s (GWY-14)', async (resource, listen, note) => {
    const issuer = await issuerWith({});
    const argv = ['--issuer', issuer, '--client-id', 'mcp', '--backend', `${issuer}/mcp`, '--resource', resource];
    const { lines } = await runCommand(['gateway', ...argv, ...(listen === undefined ? [] : ['--listen', listen]), '--check', '--json']);
    expect(lines.at(-1)).toMatchObject({ type: 'checked', warnings: note === undefined ? [] : [expect.stringContaining(note)] });
  });

  it.each([40, 60, 80])('its URLs in one piece, at a terminal of %i columns (GWY-01)', async (columns) => {
    const issuer = await issuerWith({});
    const resource = 'https://mcp-server-of-a-long-name.staging.eu-north-1.example.com/mcp';
    const argv = ['--issuer', issuer, '--client-id', 'mcp', '--backend', `${issuer}/mcp`, '--resource', resource, '--scope', 'read write'];
    const { stderr } = await runCommand(['gateway', ...argv, '--check'], { columns });
    const lines = stripVTControlCharacters(stderr).split('\n');
    const callback = 'https://mcp-server-of-a-long-name.staging.eu-north-1.example.com/oauth/callback';
    expect(lines).toContain(`  ${callback}`);
    expect(lines).toContain(`  ${resource}`);
    expect(lines).toContain('  Scopes         read write');
    expect(lines.find((line) => line.startsWith('  Sign-in at'))).toContain(issuer);
    const table = lines.slice(3, lines.indexOf('', 3));
    expect(table.filter((line) => line.length > columns && !line.includes('https://'))).toEqual([]);
  });
});
