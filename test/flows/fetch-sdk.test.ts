import { Client as ClientOfMajor2, StreamableHTTPClientTransport as TransportOfMajor2 } from '@modelcontextprotocol/client';
import { Client as ClientOfMajor1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportOfMajor1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import type { FetchLike } from '../../src/options.ts';
import { type SessionResource, sessionResource } from '../helpers/session-resource.ts';

/** What both majors of the SDK offer, and the tests use. */
interface Connected {
  callTool(name: string): Promise<unknown>;
  /** Resolves with the next `tools/list_changed` notification. */
  notified(): Promise<void>;
  terminateSession(): Promise<void>;
  close(): Promise<void>;
}

async function connectMajor1(url: URL, fetch: FetchLike): Promise<Connected> {
  const client = new ClientOfMajor1({ name: 'test', version: '1.0.0' });
  const transport = new TransportOfMajor1(url, { fetch });
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    callTool: (name) => client.callTool({ name, arguments: {} }),
    notified: () => new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve())),
    terminateSession: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

async function connectMajor2(url: URL, fetch: FetchLike): Promise<Connected> {
  const client = new ClientOfMajor2({ name: 'test', version: '1.0.0' });
  const transport = new TransportOfMajor2(url, { fetch });
  await client.connect(transport);
  return {
    callTool: (name) => client.callTool({ name, arguments: {} }),
    notified: () => new Promise((resolve) => client.setNotificationHandler('notifications/tools/list_changed', () => resolve())),
    terminateSession: () => transport.terminateSession(),
    close: () => client.close(),
  };
}

const done = (name: string) => ({ content: [{ type: 'text', text: `${name} done` }] });

/** The stream is opened in the background; the server says when it is there. */
const streamOpened = async ({ answers }: SessionResource): Promise<void> => {
  while (!answers.includes('GET 200')) await new Promise((resolve) => setImmediate(resolve));
};

describe.each([
  ['major 1', connectMajor1],
  ['major 2', connectMajor2],
])('the streamable HTTP transport of the official SDK, %s', (_, connect) => {
  it('connects through the whole flow, the session going on where the 401 stopped it (FET-12)', async () => {
    const resource = await sessionResource();
    const sdk = await connect(resource.url, resource.client.fetch);
    expect(await sdk.callTool('read')).toMatchObject(done('read'));
    await streamOpened(resource);
    expect(resource.answers.filter((answer) => answer.endsWith('401'))).toEqual(['POST 401']);
    expect(resource.user.shown).toHaveLength(1);
    expect(resource.servers.violations).toEqual([]);
    await sdk.close();
  });

  it('receives what the server sends over the stream it has opened with GET, as it is sent (FET-12)', async () => {
    const resource = await sessionResource();
    const sdk = await connect(resource.url, resource.client.fetch);
    await streamOpened(resource);
    const notified = sdk.notified();
    await resource.notify();
    await notified;
    await sdk.close();
  });

  it('is refreshed in the middle of a session (FET-12)', async () => {
    const resource = await sessionResource();
    const sdk = await connect(resource.url, resource.client.fetch);
    await streamOpened(resource);
    resource.servers.authorizationServer.expireAccessTokens();
    const calls = await Promise.all([sdk.callTool('read'), sdk.callTool('read'), sdk.callTool('read')]);
    expect(calls).toMatchObject([done('read'), done('read'), done('read')]);
    expect(resource.servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
    expect(resource.user.shown).toHaveLength(1);
    await sdk.close();
  });

  it('steps up in the middle of a session (FET-12)', async () => {
    const resource = await sessionResource();
    const sdk = await connect(resource.url, resource.client.fetch);
    expect(await sdk.callTool('write')).toMatchObject(done('write'));
    expect(resource.client.status).toMatchObject({ grantedScopes: ['read', 'write'] });
    expect(resource.user.shown).toHaveLength(2);
    await sdk.close();
  });

  it('ends its session with DELETE (FET-12)', async () => {
    const resource = await sessionResource();
    const sdk = await connect(resource.url, resource.client.fetch);
    resource.servers.authorizationServer.expireAccessTokens();
    await sdk.terminateSession();
    expect(resource.answers.filter((answer) => answer.startsWith('DELETE'))).toEqual(['DELETE 401', 'DELETE 200']);
    await sdk.close();
  });

  it('is told of a failed authorization by its coded error, and can be connected again (FET-12)', async () => {
    const resource = await sessionResource();
    resource.servers.respond('token', () => Response.json({ error: 'invalid_scope' }, { status: 400 }));
    await expect(connect(resource.url, resource.client.fetch)).rejects.toMatchObject({ code: 'token_request_rejected' });
    const sdk = await connect(resource.url, resource.client.fetch);
    expect(await sdk.callTool('read')).toMatchObject(done('read'));
    await sdk.close();
  });
});
