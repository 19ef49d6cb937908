/**
 * The pages the browser ends on: static, without scripts or anything from
 * elsewhere, every text escaped (SEC-04). They tell the truth: the callback was
 * taken, or which failure it met. The exchange of the code comes later, so no
 * page claims that the login is complete.
 */
import type { Failure, FailureCode } from '../failure.ts';
import { CALLBACK_PAGE_STYLE, CALLBACK_PAGE_STYLE_SHA256 } from './callback-page-style.ts';

export interface CallbackPage {
  readonly html: string;
}

/** Longer names push the words that matter out of sight. */
const NAME_CHARACTERS = 60;

// One shape a page, drawn so that it is told apart without colour too.
const TICK = '<path d="M15 24.5l6.2 6.2L33.5 18"/>';
const CROSS = '<path d="M17 17l14 14M31 17L17 31"/>';
const SHIELD = '<path d="M24 12.5l10 3.6v7.4c0 6-4.1 10-10 12-5.9-2-10-6-10-12v-7.4zM24 19v6.5M24 29.8v.2"/>';
const EXCLAMATION = '<path d="M24 14v12M24 32.5v.3"/>';

/** The callback was taken; the application goes on by itself. */
export function acceptedPage(applicationName: string | undefined): CallbackPage {
  const name = shortName(applicationName);
  return page({
    tone: 'good',
    icon: TICK,
    title: 'You can close this window',
    text: `The authorization reached ${name ?? 'the application'}. It finishes the rest by itself.`,
    note: `Go back to ${name ?? 'where you started'}.`,
  });
}

/** The code was exchanged: a host can wait for it, since it answers with one page and no listener to close. */
export function completedPage(applicationName: string | undefined): CallbackPage {
  const name = shortName(applicationName);
  return page({
    tone: 'good',
    icon: TICK,
    title: 'You can close this window',
    text: `${name ?? 'The application'} now has the access that you granted.`,
    note: `Go back to ${name ?? 'where you started'}.`,
  });
}

/** The callback was refused, and why, in words of ours. */
export function refusedPage({ code, message, advice }: Failure): CallbackPage {
  return page({ tone: 'bad', icon: CROSS, title: 'The authorization did not succeed', text: message, advice, ...REFUSALS[code], code });
}

/** Someone opened the address by hand. */
export function emptyCallbackPage(): CallbackPage {
  return page({
    tone: 'calm',
    icon: EXCLAMATION,
    title: 'Nothing has arrived yet',
    text: 'This address takes the answers of authorization servers, and this request holds none.',
    advice: 'Finish in the window where you were asked to approve.',
  });
}

/** Headers of every answer; only the one style of the page is allowed to do anything. */
export function securityHeaders(shown: CallbackPage | undefined): Record<string, string> {
  const style = shown === undefined ? '' : `style-src 'sha256-${CALLBACK_PAGE_STYLE_SHA256}'; `;
  return {
    'Content-Security-Policy': `default-src 'none'; ${style}base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}

type Tone = 'good' | 'calm' | 'bad' | 'danger';

/** Where the person before the browser needs other words than the program. */
const REFUSALS: Partial<Record<FailureCode, Partial<Content>>> = {
  authorization_denied: {
    tone: 'calm',
    title: 'Access was not granted',
    text: 'The application was told no, and stays without access.',
    advice: 'If that was a mistake, start again in the application.',
  },
  authorization_expired: {
    tone: 'calm',
    icon: EXCLAMATION,
    title: 'This came too late',
    text: 'The application no longer waits for this answer.',
    advice: 'Start again in the application.',
  },
  callback_not_expected: {
    tone: 'calm',
    icon: EXCLAMATION,
    title: 'Nothing is waiting for this',
    text: 'This answer belongs to no authorization that is under way. Nothing was changed.',
    advice: 'If you were signing in, start again in the application.',
  },
  closed: {
    tone: 'calm',
    icon: EXCLAMATION,
    title: 'One moment',
    text: 'The application is being restarted.',
    advice: 'Load this page again.',
  },
  callback_account_mismatch: {
    tone: 'danger',
    icon: SHIELD,
    title: 'Stopped for your safety',
    text: 'This access was asked for by somebody else, or you are signed out here. Nothing was changed.',
    advice: 'If you began this yourself, sign in to the application in this browser and start again.',
  },
  callback_issuer_mismatch: { tone: 'danger', icon: SHIELD, title: 'Stopped for your safety' },
  callback_issuer_missing: { tone: 'danger', icon: SHIELD, title: 'Stopped for your safety' },
};

interface Content {
  readonly tone: Tone;
  readonly icon: string;
  readonly title: string;
  readonly text: string;
  readonly advice?: string;
  readonly note?: string;
  readonly code?: string;
}

function page({ tone, icon, title, text, advice, note, code }: Content): CallbackPage {
  const lines = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(text)}</p>`,
    ...(advice === undefined ? [] : [`<p class="advice">${escapeHtml(advice)}</p>`]),
    ...(note === undefined ? [] : [`<p class="note">${escapeHtml(note)}</p>`]),
    ...(code === undefined ? [] : [`<p class="code"><code>${escapeHtml(code)}</code></p>`]),
  ];
  return {
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${CALLBACK_PAGE_STYLE}</style>
</head>
<body class="${tone}">
<main>
<svg viewBox="0 0 48 48" width="72" height="72" aria-hidden="true"><circle cx="24" cy="24" r="22.5"/>${icon}</svg>
${lines.join('\n')}
</main>
</body>
</html>
`,
  };
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function shortName(name: string | undefined): string | undefined {
  const trimmed = name?.trim();
  if (trimmed === undefined || trimmed === '') return undefined;
  return trimmed.length > NAME_CHARACTERS ? `${trimmed.slice(0, NAME_CHARACTERS)}…` : trimmed;
}
