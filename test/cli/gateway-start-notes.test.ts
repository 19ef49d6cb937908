import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from './run-command.ts';

/** An identity provider that has metadata and nothing else. As a backend it answers 404, which is an answer. */
async function issuerWith(metadata: Readonly<Record<string, unknown>>): Promise<string> {
  const server = createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    const endpoints = { issuer: origin, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` };
    response.statusCode = request.url?.startsWith('/.well-known/') === true ? 200 : 404;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...endpoints, ...metadata }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
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
});
