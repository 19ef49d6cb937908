import { createRequire } from 'node:module';
import { expect, it, onTestFinished } from 'vitest';
import { backendFetch } from '../../src/cli/gateway/backend-fetch.ts';
import { localServer } from '../helpers/local-server.ts';

/** The package's own clock, turned instead of waited for. */
const { tick } = createRequire(import.meta.url)('undici/lib/util/timers.js') as { readonly tick: (ms: number) => void };

it('waits for a backend that is silent on its stream for an hour (GWY-01)', async () => {
  let speak = (_text: string): void => {};
  const backend = await localServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
    speak = (text) => response.end(text);
  });
  const { fetch, close } = backendFetch();
  onTestFinished(close);
  const { body } = await fetch(`${backend.origin}/mcp`);
  const reader = body?.getReader();
  const next = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value);
  expect(await next()).toBe('data: one\n\n');
  const later = next();
  tick(3_600_000);
  tick(3_600_000);
  speak('data: two\n\n');
  expect(await later).toBe('data: two\n\n');
});
