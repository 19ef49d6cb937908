/** Turns the options of a gateway into settings: defaults filled in, every mistake reported at once. */
import { type Clock, systemClock } from '../../clock.ts';
import { AuthorizationError } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { misconfigured } from '../../misconfigured.ts';
import type { FetchLike, Inspector, LogRecord } from '../../options.ts';
import { createHttp, type Http } from '../../protocol/http.ts';
import { canonicalResource } from '../../protocol/resource-identifier.ts';
import { parseScope } from '../../protocol/scopes.ts';
import type { Store } from '../../stores/contract.ts';
import { memoryStore } from '../../stores/memory-store.ts';
import { sealedWith } from '../../stores/sealed-with.ts';
import { KEY_BYTES, type KeyRing, keyRing, type SealingKeys } from '../../stores/sealing-keys.ts';
import type { TokenValidator } from '../token-validator.ts';
import {
  DEFAULT_GATEWAY_LIMITS,
  DEFAULT_TOKEN_SECONDS,
  defaultUpstreamScopes,
  type GatewayLimits,
  type GatewayOptions,
  type SigningKey,
  type UpstreamOptions,
} from './gateway-options.ts';
import { gatewayStore } from './gateway-store.ts';
import { problemsOfGatewayOptions } from './option-problems.ts';

export interface GatewaySettings {
  /** Canonical. */
  readonly resource: string;
  readonly issuer: string;
  readonly upstream: UpstreamOptions & { readonly scopes: readonly string[] };
  readonly scopes: readonly string[] | undefined;
  readonly defaultScopes: readonly string[];
  readonly name: string;
  readonly format: 'jwt' | 'opaque' | 'upstream';
  /** For upstream tokens that are passed through. */
  readonly passThrough: TokenValidator | undefined;
  readonly signingKeys: readonly SigningKey[] | undefined;
  readonly seconds: { readonly access: number; readonly refresh: number; readonly grace: number };
  /** Of this gateway alone, whoever else uses the one that was given. */
  readonly store: Store;
  /** The same store, sealed. */
  readonly vault: Store;
  readonly ring: KeyRing;
  readonly clientMetadataDocuments: NonNullable<GatewayOptions['clientMetadataDocuments']>;
  readonly clientAddressHeader: string | undefined;
  readonly consent: NonNullable<GatewayOptions['consent']>;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly fetch: FetchLike;
  readonly http: Http;
  readonly inspect: Inspector | undefined;
  readonly log: (level: LogRecord['level'], event: string, details?: Readonly<Record<string, unknown>>) => void;
}

/** @throws AuthorizationError `invalid_configuration`, its `failure.details.problems` naming every mistake and no secret. */
export function resolveGatewaySettings(options: GatewayOptions): GatewaySettings {
  const sealing = ringOf(options?.sealingKeys);
  const problems = [...problemsOfGatewayOptions(options), ...sealing.problems];
  if (problems.length > 0 || sealing.ring === undefined) throw misconfigured(problems);
  const resource = canonicalResource(options.resource);
  const clock = options.clock ?? systemClock;
  const issuer = options.issuer ?? new URL(resource).origin;
  const store = gatewayStore(options.store ?? memoryStore({ clock }), { issuer, resource });
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const { tokens, logger } = options;
  const fetch: FetchLike = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  return {
    resource,
    issuer,
    upstream: { ...options.upstream, scopes: options.upstream.scopes ?? defaultUpstreamScopes(options.upstream) },
    scopes: options.scopes,
    defaultScopes:
      (typeof options.defaultScope === 'string' ? parseScope(options.defaultScope) : options.defaultScope) ?? options.scopes ?? [],
    name: options.name ?? new URL(resource).host,
    format: tokens?.format ?? 'jwt',
    passThrough: tokens?.validator,
    signingKeys: tokens?.signingKeys,
    seconds: secondsOf(tokens),
    store,
    vault: sealedWith(store, sealing.ring),
    ring: sealing.ring,
    clientMetadataDocuments: options.clientMetadataDocuments ?? {},
    clientAddressHeader: options.clientAddressHeader,
    consent: options.consent ?? {},
    limits,
    clock,
    fetch,
    http: createHttp({
      fetch,
      limits: { ...DEFAULT_LIMITS, requestTimeoutMs: limits.upstreamTimeoutMs },
      now: () => clock.now(),
      // The identity provider is part of the configuration; no stranger names a URL here.
      checkUrl: () => Promise.resolve(),
    }),
    inspect: options.inspect,
    log: logging(logger, clock),
  };
}

function secondsOf(tokens: GatewayOptions['tokens'] = {}): GatewaySettings['seconds'] {
  return {
    access: tokens.accessTokenSeconds ?? DEFAULT_TOKEN_SECONDS.access,
    refresh: tokens.refreshTokenSeconds ?? DEFAULT_TOKEN_SECONDS.refresh,
    grace: tokens.refreshGraceSeconds ?? DEFAULT_TOKEN_SECONDS.grace,
  };
}

function ringOf(keys: SealingKeys | undefined): { readonly ring?: KeyRing; readonly problems: readonly string[] } {
  const given = keys ?? { keys: { process: crypto.getRandomValues(new Uint8Array(KEY_BYTES)) }, current: 'process' };
  try {
    return { ring: keyRing(given), problems: [] };
  } catch (thrown) {
    const problems = thrown instanceof AuthorizationError ? thrown.failure.details.problems : undefined;
    return { problems: (problems ?? ['is not a set of keys.']).map((problem) => `\`sealingKeys\`: ${problem}`) };
  }
}

function logging(given: GatewayOptions['logger'], clock: Clock): GatewaySettings['log'] {
  return (level, event, details = {}) => {
    try {
      given?.({ level, event, atEpochMs: clock.now(), ...details });
    } catch {
      // Whom should one tell?
    }
  };
}
