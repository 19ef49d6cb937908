/** One request with every part as the test wants it; `fetch` would set Host by itself. */
import { request } from 'node:http';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export function rawRequest(
  url: string,
  options: { readonly method?: string; readonly host?: string; readonly target?: string; readonly body?: string } = {},
): Promise<RawAnswer> {
  const { hostname, port, host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: hostname.replace(/[[\]]/g, ''),
        port,
        method: options.method ?? 'GET',
        path: options.target ?? `${pathname}${search}`,
        headers: { host: options.host ?? host },
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}
