/** The pages of the fixture application, as its server sends them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loopbackServer } from '../fixtures/loopback-server.ts';
import { BUILT } from './build-application.ts';

export interface ApplicationServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** What pages asked for, with the referrer they told. */
  readonly requests: readonly { readonly path: string; readonly referrer: string | undefined }[];
}

const APPLICATION = (configuration: unknown): string => `<!doctype html>
<meta charset="utf-8">
<title>Application</title>
<h1>Application</h1>
<p>Status: <output id="status">loading</output> <span id="problem"></span></p>
<p><button id="sign-in">Sign in</button> <button id="call">Call</button> <a id="continue" hidden>Go on signing in</a></p>
<pre id="answer"></pre>
<script type="application/json" id="configuration">${JSON.stringify(configuration)}</script>
<script type="module" src="/application.js"></script>
`;

const STORES = '<!doctype html><meta charset="utf-8"><title>Stores</title><body><script type="module" src="/stores.js"></script>';

/** No inline scripts, no eval: what a careful application allows is enough. */
const POLICY = "default-src 'self'; connect-src http://127.0.0.1:*; script-src 'self'; frame-ancestors 'self'";

/** Serves it on a free port; `configuration` is what every page of it is told. */
export async function applicationServer(configuration: unknown): Promise<ApplicationServer> {
  const requests: { path: string; referrer: string | undefined }[] = [];
  const { origin, close } = await loopbackServer(({ url = '/', headers }, response) => {
    const { pathname } = new URL(url, 'http://application');
    requests.push({ path: pathname, referrer: headers.referer });
    const { status, type, body } = answer(pathname, configuration);
    // Any origin, so that a sandboxed frame, whose origin is none, gets its script.
    response.writeHead(status, { 'content-type': type, 'content-security-policy': POLICY, 'access-control-allow-origin': '*' });
    response.end(body);
  });
  return { origin, requests, [Symbol.asyncDispose]: close };
}

function answer(path: string, configuration: unknown): { readonly status: number; readonly type: string; readonly body: string } {
  const html = 'text/html; charset=utf-8';
  const script = /^\/(application|stores)\.js$/.exec(path)?.[1];
  if (script !== undefined) return { status: 200, type: 'text/javascript', body: readFileSync(join(BUILT, `${script}.js`), 'utf8') };
  if (path === '/stores') return { status: 200, type: html, body: STORES };
  if (/^\/(redirect|popup)/.test(path)) return { status: 200, type: html, body: APPLICATION(configuration) };
  return { status: 404, type: html, body: '' };
}
