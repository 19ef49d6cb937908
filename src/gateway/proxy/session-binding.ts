/**
 * Binds MCP sessions to their callers: what the client gets as `Mcp-Session-Id` is
 * the backend's identifier and an HMAC of it and the caller. Whoever learns another
 * caller's identifier cannot use it (MCP "Security Best Practices", session
 * hijacking), and no replica has to remember anything.
 */
import type { Caller } from '../protect-options.ts';

export interface SessionBinding {
  /** For the client. `undefined` for a caller who cannot be told from others, and an identifier that is none. */
  wrap(backendId: string, caller: Caller | undefined): Promise<string | undefined>;
  /** The backend's; `undefined` if this caller was never given it. */
  unwrap(clientId: string, caller: Caller | undefined): Promise<string | undefined>;
}

/** MCP: visible ASCII only. */
const VISIBLE = /^[\x21-\x7e]{1,1024}$/;
/** HMAC-SHA-256 in base64url. */
const MAC_CHARACTERS = 43;

export function sessionBinding(secret: Uint8Array): SessionBinding {
  const bytes = new Uint8Array(secret);
  let importing: Promise<CryptoKey> | undefined;
  const key = (): Promise<CryptoKey> => {
    importing ??= crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
    return importing;
  };
  return {
    async wrap(backendId, caller) {
      const bound = boundTo(backendId, caller);
      if (bound === undefined || !VISIBLE.test(backendId)) return undefined;
      const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await key(), bound));
      return `${base64url(mac)}.${backendId}`;
    },
    async unwrap(clientId, caller) {
      const mac = bytesOf(clientId.slice(0, MAC_CHARACTERS));
      const backendId = clientId.slice(MAC_CHARACTERS + 1);
      const bound = boundTo(backendId, caller);
      if (mac === undefined || bound === undefined || clientId[MAC_CHARACTERS] !== '.' || !VISIBLE.test(backendId)) return undefined;
      return (await crypto.subtle.verify('HMAC', await key(), mac, bound)) ? backendId : undefined;
    },
  };
}

/** Issuer and subject; the client where there is no subject. The fallback client is one caller, whoever uses it. */
function boundTo(backendId: string, caller: Caller | undefined): Uint8Array<ArrayBuffer> | undefined {
  const bytes = (...parts: readonly unknown[]): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify([...parts, backendId]));
  if (caller === undefined) return bytes('fallback');
  const { subject, clientId, claims } = caller;
  const issuer = claims['iss'] ?? null;
  if (subject !== undefined && subject !== '') return bytes('subject', issuer, subject);
  if (clientId !== undefined && clientId !== '') return bytes('client', issuer, clientId);
  return undefined;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]{43}$/.test(text)) return undefined;
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}
