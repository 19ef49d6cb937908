/** Where the demonstration's application takes its person back. */
import { loopbackServer } from '../fixtures/loopback-server.ts';

export interface CallbackPage extends AsyncDisposable {
  readonly url: string;
  /** The query the person's browser came back with. */
  readonly visited: Promise<URLSearchParams>;
}

export async function startCallbackPage(): Promise<CallbackPage> {
  const { origin, http, close } = await loopbackServer();
  const visited = new Promise<URLSearchParams>((resolve) => {
    http.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname !== '/callback') {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end('You can close this page and go back to the terminal.\n');
      resolve(searchParams);
    });
  });
  return { url: `${origin}/callback`, visited, [Symbol.asyncDispose]: close };
}
