/** A stdio server behind the gateway's bridge, and clients of its callers. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import { type StdioBackend, type StdioLimits, stdioBackend } from '../../src/cli/gateway/stdio-backend.ts';
import { stdioSession } from '../../src/cli/gateway/stdio-session.ts';
import type { Caller } from '../../src/gateway/protect-options.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { STDIO_SERVER } from './gateway-scene.ts';

export const callerNamed = (subject: string, issuer = 'https://login.example'): Caller => ({
  subject,
  clientId: 'agent',
  scopes: ['read'],
  claims: { iss: issuer },
});
export const URL_BEHIND = 'https://mcp.example.com/mcp';
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

export function scene(
  limits: Partial<StdioLimits> = {},
  command: readonly [string, ...string[]] = [process.execPath, STDIO_SERVER],
  stopping: AbortSignal = new AbortController().signal,
) {
  const clock = simulatedClock();
  const events: { readonly event: string; readonly [detail: string]: unknown }[] = [];
  const backend = stdioBackend({
    command,
    passedOn: ['SHOWN', 'OIDC_CLIENT_SECRET'],
    environment: { SHOWN: 'yes', HIDDEN: 'no', OIDC_CLIENT_SECRET: 'SECRET-x' },
    log: (level, event, details) => void events.push({ level, event, ...details }),
    clock,
    stopping,
    limits,
    begin: stdioSession,
  });
  onTestFinished(() => backend.close());
  return { backend, clock, events };
}

export function post(
  backend: StdioBackend,
  caller: Caller | undefined,
  message: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return backend.handle(
    new Request(URL_BEHIND, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify(message),
    }),
    { caller },
  );
}

export async function clientOf(backend: StdioBackend, caller: Caller | undefined, options: ConstructorParameters<typeof Client>[1] = {}) {
  const transport = new StreamableHTTPClientTransport(new URL(URL_BEHIND), {
    fetch: (input, init) => backend.handle(new Request(input, init), { caller }),
  });
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  await client.connect(transport);
  return { client, transport };
}
