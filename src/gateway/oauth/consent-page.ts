/**
 * The pages of the gateway: consent, and what is said where a sign-in cannot go on.
 * One form, no script, nothing from elsewhere, every text escaped (GWY-06).
 */
import type { GatewayClient } from './client-registration.ts';
import type { SpokenTexts } from './consent-texts.ts';
import type { ConsentOptions } from './gateway-options.ts';
import { isLoopbackOnly } from './redirect-uris.ts';

export interface ConsentQuestion {
  readonly client: GatewayClient;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Name of the resource. */
  readonly resource: string;
  readonly transactionId: string;
  readonly formToken: string;
  /** Where the form is sent. */
  readonly action: string;
}

export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Pages {
  consent(question: ConsentQuestion, spoken: SpokenTexts): Promise<Page>;
  problem(reason: string, spoken: SpokenTexts): Promise<Page>;
}

const STYLE = `
*{box-sizing:border-box;margin:0}
body{min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:24px;background:var(--ground);color:var(--text);font:var(--font)}
main{width:100%;max-width:480px;padding:36px;background:var(--card);border:1px solid var(--line);border-radius:var(--radius);overflow-wrap:anywhere}
h1{font-size:1.4rem;line-height:1.25;text-wrap:balance}
p,ul{margin-top:14px}
ul{padding-left:1.2em}
code{padding:2px 6px;border-radius:6px;background:var(--ground);font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.soft{color:var(--soft);font-size:.9rem}
.warning{padding:12px 14px;border:1px solid var(--warning);border-left-width:5px;border-radius:8px}
form{display:flex;flex-wrap:wrap;gap:12px;margin-top:26px}
button{flex:1 1 40%;min-height:48px;padding:10px 18px;font:inherit;border:1px solid var(--line);border-radius:10px;background:transparent;color:inherit;cursor:pointer}
button[value=allow]{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`;

const COLOURS = `
:root{color-scheme:light dark;--ground:#f1f3f7;--card:#fff;--line:#c9ced8;--text:#171a21;--soft:#5b6372;--accent:#2f49c8;--on-accent:#fff;--warning:#b45309;--radius:18px;--font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
@media(prefers-color-scheme:dark){:root{--ground:#0e1116;--card:#171b22;--line:#3a4250;--text:#eef1f6;--soft:#a3adbd;--accent:#93a0ff;--on-accent:#10131a;--warning:#f2a95c}}
`;

export function createPages({ style = {} }: ConsentOptions): Pages {
  const own = Object.entries(style).map(([name, value]) => `${name}:${value}`);
  const css = `${COLOURS}${own.length > 0 ? `:root{${own.join(';')}}` : ''}${STYLE}`;
  let digest: Promise<string> | undefined;

  const page = async (title: string, lines: readonly string[], language: string): Promise<Page> => {
    digest ??= sha256(css);
    return {
      html: `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${lines.join('\n')}
</main>
</body>
</html>
`,
      headers: {
        // No form-action: browsers apply it to the redirects after the form, too, and those lead to the identity
        // provider and back to the client. There is no script, and nothing unescaped to make a form of.
        'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${await digest}'; base-uri 'none'; frame-ancestors 'none'`,
        'X-Frame-Options': 'DENY',
        // With `no-referrer` the form would be sent with the origin `null`.
        'Referrer-Policy': 'same-origin',
        'Cross-Origin-Resource-Policy': 'same-origin',
      },
    };
  };

  return {
    consent(question, { language, texts }) {
      const { client, redirectUri, scopes, resource } = question;
      const names = { client: shownName(client), resource };
      const say = (text: string, more: Readonly<Record<string, string>> = {}): string => escapeHtml(filled(text, { ...names, ...more }));
      const items = scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join('');
      return page(
        filled(texts.title, names),
        [
          `<p>${say(texts.asks)}</p>`,
          items === '' ? `<p>${say(texts.noScopes)}</p>` : `<p>${say(texts.scopes)}</p><ul>${items}</ul>`,
          `<p>${sentTo(texts.sentTo, redirectUri)}</p>`,
          ...(isLoopbackOnly(client.redirectUris) ? [`<p class="warning" role="note">${say(texts.loopback)}</p>`] : []),
          `<p class="soft">${say(texts.unverified)}${isDocument(client) ? ` <code>${escapeHtml(client.clientId)}</code>` : ''}</p>`,
          `<form method="post" action="${escapeHtml(question.action)}">`,
          `<input type="hidden" name="transaction" value="${escapeHtml(question.transactionId)}">`,
          `<input type="hidden" name="form_token" value="${escapeHtml(question.formToken)}">`,
          `<button name="choice" value="refuse">${say(texts.refuse)}</button>`,
          `<button name="choice" value="allow">${say(texts.allow)}</button>`,
          '</form>',
        ],
        language,
      );
    },
    problem: (reason, { language, texts }) =>
      page(texts.problem, [`<p>${escapeHtml(reason)}</p>`, `<p class="soft">${escapeHtml(texts.startAgain)}</p>`], language),
  };
}

const isDocument = ({ clientId }: GatewayClient): boolean => clientId.startsWith('https://');

function shownName({ name, clientId, redirectUris: [first = ''] }: GatewayClient): string {
  return name ?? URL.parse(clientId)?.host ?? placeOf(first);
}

/** Host and port of a web address; the scheme of an application's own. */
function placeOf(redirectUri: string): string {
  const url = URL.parse(redirectUri);
  if (url === null) return redirectUri;
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.host : url.protocol;
}

function sentTo(text: string, redirectUri: string): string {
  return escapeHtml(text).replaceAll('{host}', () => `<code>${escapeHtml(placeOf(redirectUri))}</code>`);
}

/** In one pass: a client that calls itself `{resource}` is called that. */
function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? '') : whole));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

async function sha256(text: string): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))));
}
