/** A real HTTP server on a free loopback port, for one test. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { loopbackServer } from '../fixtures/loopback-server.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

export interface LocalServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly requests: readonly SeenRequest[];
}

/** Starts it; it is closed, with every connection, when the test ends. */
export async function localServer(
  answer: (request: IncomingMessage, response: ServerResponse, origin: string) => void,
): Promise<LocalServer> {
  const requests: SeenRequest[] = [];
  const { origin, http, close } = await loopbackServer();
  onTestFinished(close);
  http.on('request', (request, response) => {
    requests.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers });
    answer(request, response, origin);
  });
  return { origin, requests };
}

/** Answers with JSON; a string is sent as it is. */
export function json(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The failure a promise rejects with; anything else fails the test. */
export async function failureOfPromise(promise: Promise<unknown>): Promise<import('../../src/failure.ts').Failure> {
  const { FailureError } = await import('../../src/failure.ts');
  try {
    await promise;
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('It did not fail.');
}
