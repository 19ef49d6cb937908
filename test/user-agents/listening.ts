/** Loopback listeners of a test, closed when it ends. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect } from 'vitest';
import { FailureError, failure } from '../../src/failure.ts';
import type { CallbackOutcome, RedirectRequest, RedirectTarget } from '../../src/user-agents/contract.ts';
import { type LoopbackOptions, loopback } from '../../src/user-agents/loopback.ts';

export const REFUSED: CallbackOutcome = { accepted: false, failure: failure('callback_not_expected', 'authorization') };

const targets: RedirectTarget[] = [];
const squatters: Server[] = [];

afterEach(async () => {
  await Promise.all(targets.splice(0).map((target) => target.close()));
  await Promise.all(squatters.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** Opens a listener whose deliveries are recorded and answered by `decide`. */
export async function listen(
  request: Partial<RedirectRequest> = {},
  options: LoopbackOptions = { openUrl: false },
): Promise<{ target: RedirectTarget; delivered: string[] }> {
  const delivered: string[] = [];
  const decide = request.deliver ?? (async () => ({ accepted: true }) as const);
  const target = await loopback(options).open({
    redirectUris: ['http://127.0.0.1/callback'],
    ...request,
    deliver: (url) => {
      delivered.push(url);
      return decide(url);
    },
  });
  targets.push(target);
  return { target, delivered };
}

/** Another program that holds a port. */
export async function occupyPort(host = '127.0.0.1', port = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  squatters.push(server);
  return (server.address() as AddressInfo).port;
}

export async function failureFrom(promise: Promise<unknown>): Promise<FailureError['failure']> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FailureError);
  return (error as FailureError).failure;
}
