/**
 * The pages of the gateway: consent, and what is said where a sign-in cannot go on.
 * One form, no script, nothing from elsewhere, every text escaped (GWY-06).
 */
import type { GatewayClient } from './client-registration.ts';
import type { SpokenTexts } from './consent-texts.ts';
import type { ConsentOptions, ConsentTexts } from './gateway-options.ts';
import { isLoopback } from './redirect-uris.ts';

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

/** Why a sign-in cannot go on. */
export interface SignInProblem {
  /** In English, for people or for the developers of a client. */
  readonly reason: string;
  /** Where the person may take an error of the client's, by a link: to its redirect URI, with the code of the error. */
  readonly back?: { readonly error: string; readonly redirectUri: string; readonly url: string } | undefined;
}

export interface Pages {
  consent(question: ConsentQuestion, spoken: SpokenTexts): Promise<Page>;
  problem(problem: SignInProblem, spoken: SpokenTexts): Promise<Page>;
}

const STYLE = `
*{box-sizing:border-box;margin:0}
body{min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:24px 16px;background:var(--ground);color:var(--text);font:var(--font)}
main{width:100%;max-width:480px;padding:clamp(22px,7vw,40px);background:var(--card);border:1px solid var(--line);border-radius:var(--radius);overflow-wrap:anywhere}
svg{display:block;width:40px;height:40px;margin-bottom:18px;color:var(--accent)}
h1{font-size:1.45rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
h1 .client{color:var(--accent)}
p,ul{margin-top:14px}
ul{padding:0;list-style:none;border:1px solid var(--line);border-radius:10px}
li{padding:9px 14px}
li+li{border-top:1px solid var(--line)}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;direction:ltr;unicode-bidi:isolate}
p code{font-weight:600}
.soft{color:var(--soft);font-size:.9rem}
.soft code{font-weight:400}
.warning{padding:12px 14px;border:1px solid var(--warning);border-inline-start-width:5px;border-radius:10px}
form{display:flex;flex-wrap:wrap;gap:12px;margin-top:26px}
button{flex:1 1 auto;min-height:48px;padding:10px 18px;font:inherit;border:1px solid var(--soft);border-radius:10px;background:transparent;color:inherit;cursor:pointer}
button:hover{text-decoration:underline}
button[value=allow]{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:600}
a{color:var(--accent)}
button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`;

/** The shape of a closed lock; it says nothing that the heading does not. */
const LOCK =
  '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"><rect x="4.5" y="10.5" width="15" height="10" rx="2.5"/><path d="M8 10.5V7.2a4 4 0 0 1 8 0v3.3M12 14.6v2"/></svg>';

const COLOURS = `
:root{color-scheme:light dark;--ground:#f1f3f7;--card:#fff;--line:#d3d8e1;--text:#171a21;--soft:#565e6d;--accent:#2f49c8;--on-accent:#fff;--warning:#b45309;--radius:18px;--font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
@media(prefers-color-scheme:dark){:root{--ground:#0e1116;--card:#171b22;--line:#333b48;--text:#eef1f6;--soft:#a3adbd;--accent:#93a0ff;--on-accent:#10131a;--warning:#f2a95c}}
`;

export function createPages({ style = {} }: ConsentOptions): Pages {
  const own = Object.entries(style).map(([name, value]) => `${name}:${value}`);
  const css = `${COLOURS}${own.length > 0 ? `:root{${own.join(';')}}` : ''}${STYLE}`;
  let digest: Promise<string> | undefined;

  const page = async (
    { title, heading, lines }: { readonly title: string; readonly heading: string; readonly lines: readonly string[] },
    language: string,
  ): Promise<Page> => {
    digest ??= sha256(css);
    return {
      html: `<!doctype html>
<html lang="${escapeHtml(language)}" dir="${directionOf(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
<main>
${LOCK}
<h1>${heading}</h1>
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
      const name = shownName(client);
      const values = { client: isolated(name, 'client'), resource: isolated(resource), host: code(placeOf(redirectUri)) };
      const say = (text: string): string => filled(escapeHtml(text), values);
      const items = shownScopes(scopes)
        .map((scope) => `<li>${scope === 'offline_access' ? say(texts.offlineAccess) : code(scope)}</li>`)
        .join('');
      return page(
        {
          title: filled(texts.title, { client: isolatedText(name), resource: isolatedText(resource) }),
          heading: say(texts.title),
          lines: [
            `<p>${say(texts.asks)}</p>`,
            items === ''
              ? `<p>${say(texts.noScopes)}</p>`
              : `<p id="scopes">${say(texts.scopes)}</p><ul aria-labelledby="scopes">${items}</ul>`,
            `<p>${say(texts.sentTo)}</p>`,
            ...(isLoopback(redirectUri) ? [`<p class="warning" role="note">${say(texts.loopback)}</p>`] : []),
            `<p class="soft">${say(texts.unverified)}${isDocument(client) ? ` ${code(URL.parse(client.clientId)?.href ?? '')}` : ''}</p>`,
            `<form method="post" action="${escapeHtml(question.action)}">`,
            `<input type="hidden" name="transaction" value="${escapeHtml(question.transactionId)}">`,
            `<input type="hidden" name="form_token" value="${escapeHtml(question.formToken)}">`,
            `<button name="choice" value="refuse">${say(texts.refuse)}</button>`,
            `<button name="choice" value="allow">${say(texts.allow)}</button>`,
            '</form>',
          ],
        },
        language,
      );
    },
    problem({ reason, back }, { language, texts, inWords }) {
      const spoken = inWords(reason, back?.error);
      // What is meant for the developers of a client is there in English only.
      const english = `<p${spoken === undefined ? '' : ' class="soft"'} lang="en" dir="ltr">${escapeHtml(reason)}</p>`;
      return page(
        {
          title: texts.problem,
          heading: escapeHtml(texts.problem),
          lines: [
            ...(spoken === undefined ? [] : [`<p>${escapeHtml(spoken)}</p>`]),
            ...(spoken === undefined || back !== undefined ? [english] : []),
            ...(back === undefined ? [`<p class="soft">${escapeHtml(texts.startAgain)}</p>`] : wayBack(back, texts)),
          ],
        },
        language,
      );
    },
  };
}

/** For the person to take: a link of ours that leads elsewhere by itself would lend our name to whoever has registered it. */
function wayBack({ redirectUri, url }: NonNullable<SignInProblem['back']>, texts: ConsentTexts): readonly string[] {
  const link = filled(escapeHtml(texts.back), { host: code(placeOf(redirectUri)) });
  return [`<p><a href="${escapeHtml(url)}">${link}</a></p>`, `<p class="soft">${escapeHtml(texts.backUnchecked)}</p>`];
}

const isDocument = ({ clientId }: GatewayClient): boolean => clientId.startsWith('https://');

/** `openid` says that there is a sign-in, which the page is about (OpenID Connect Core section 3.1.2.1). */
const shownScopes = (scopes: readonly string[]): readonly string[] =>
  scopes.length > 1 ? scopes.filter((scope) => scope !== 'openid') : scopes;

/** What a name may not hold: characters that show nothing, or have no meaning yet. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{C}\u2800]/gu;
/** Marks piled up on one letter reach into the lines around it. */
const PILED_MARKS = /(\p{M}{2})\p{M}+/gu;

function shownName({ name = '', clientId, redirectUris: [first = ''] }: GatewayClient): string {
  const seen = name.replace(UNSEEN, '').replace(PILED_MARKS, '$1').trim();
  return seen === '' ? URL.parse(clientId)?.host || placeOf(first) : seen;
}

/** Host and port of a web address, in ASCII as it is looked up; the scheme of an application's own. */
function placeOf(redirectUri: string): string {
  const url = URL.parse(redirectUri);
  if (url === null) return redirectUri;
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.host : url.protocol;
}

/** Its own direction of writing ends where it ends (Unicode Standard Annex 9). */
const isolated = (text: string, kind?: string): string => `<bdi${kind ? ` class="${kind}"` : ''}>${escapeHtml(text)}</bdi>`;
const isolatedText = (text: string): string => (/^[\x20-\x7e]*$/.test(text) ? text : `\u2068${text}\u2069`);
const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;

const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi']);
const directionOf = (language: string): string => (RIGHT_TO_LEFT.has(language.split('-')[0] ?? '') ? 'rtl' : 'ltr');

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
