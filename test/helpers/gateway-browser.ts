/** A person's browser before a gateway, here or in a process of its own: cookies by origin, redirects, the gateway's form, the provider's page. */
import { formOn } from '../fixtures/page-form.ts';
import type { GatewayEntry } from './gateway-scene.ts';

export interface Landing {
  /** The last URL; the client's redirect URI where the sign-in came to its end. */
  readonly url: URL;
  /** The last answer; absent where the browser was sent to a client. */
  readonly response?: Response;
  readonly html: string;
}

export interface GatewayBrowser {
  readonly cookies: Map<string, string>;
  /** Goes there and follows redirects; at the provider's page presses what `choice` says. */
  open(url: string): Promise<Landing>;
  /** Presses a button of the consent page. */
  answer(page: Landing, choice: 'allow' | 'refuse', changes?: Readonly<Record<string, string>>): Promise<Landing>;
  /** Stops before the request to such a URL and lands there. */
  stopAt: (url: URL) => boolean;
}

const MOST_STEPS = 20;

export function gatewayBrowser(o: {
  readonly gateway: GatewayEntry;
  readonly origin: string;
  readonly providerOrigin: string;
  readonly providerChoice?: 'allow' | 'refuse';
}): GatewayBrowser {
  const cookies = new Map<string, string>();

  const send = async (url: URL, init: RequestInit): Promise<Response> => {
    const own = [...cookies].filter(([name]) => name.startsWith(`${url.origin} `));
    const headers = new Headers(init.headers);
    if (own.length > 0) headers.set('cookie', own.map(([name, value]) => `${name.split(' ')[1]}=${value}`).join('; '));
    const request = new Request(url, { redirect: 'manual', ...init, headers });
    const response = url.origin === o.origin ? await o.gateway.fetch(request) : await fetch(request);
    for (const header of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = header.split(';');
      const name = `${url.origin} ${pair.slice(0, pair.indexOf('='))}`;
      const value = pair.slice(pair.indexOf('=') + 1);
      const isOver = value === '' || attributes.some((attribute) => /max-age=0$|expires=Thu, 01 Jan 1970/i.test(attribute));
      if (isOver) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };

  const follow = async (start: URL, first: RequestInit): Promise<Landing> => {
    let url = start;
    let init = first;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const isKnown = url.origin === o.origin || url.origin === o.providerOrigin;
      if (!isKnown || browser.stopAt(url)) return { url, html: '' };
      const response = await send(url, init);
      const location = response.headers.get('location');
      if (location !== null) {
        url = new URL(location, url);
        init = {};
        continue;
      }
      const isProviderPage = url.pathname.startsWith('/interaction/') && init.method !== 'POST' && response.ok;
      if (!isProviderPage) return { url, response, html: await response.text() };
      init = { method: 'POST', body: new URLSearchParams({ choice: o.providerChoice ?? 'allow' }) };
    }
    throw new Error('the browser is redirected without end');
  };

  const browser: GatewayBrowser = {
    cookies,
    stopAt: () => false,
    open: (url) => follow(new URL(url), {}),
    answer(page, choice, changes = {}) {
      const { action, hidden } = formOn(page.html);
      const body = new URLSearchParams({ ...hidden, choice, ...changes });
      return follow(new URL(action ?? page.url, page.url), {
        method: 'POST',
        body,
        headers: { origin: o.origin, 'sec-fetch-site': 'same-origin' },
      });
    },
  };
  return browser;
}
