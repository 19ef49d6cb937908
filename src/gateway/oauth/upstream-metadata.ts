/**
 * What is known of the identity provider (GWY-03, GWY-07): its metadata, with the endpoints that were named in
 * place of those in there. Where endpoints are named, it can be done without, and less is then possible: nothing
 * is revoked, and `iss` of a response may be missing.
 */
import { FailureError, failureOf } from '../../failure.ts';
import type { ServerMetadata } from '../../protocol/documents.ts';
import type { Http } from '../../protocol/http.ts';
import { lookForServerMetadata } from '../../protocol/server-metadata.ts';
import { serverMetadataUrls } from '../../protocol/well-known.ts';
import type { GatewaySettings } from './gateway-settings.ts';

const MAX_AGE_MS = 10 * 60_000;
/** Where it is done without, it is looked for again after this long: whoever comes first waits for that. */
const MISSING_MAX_AGE_MS = 60_000;
const NEWEST_REVISION = '2026-07-28';

type NamedEndpoints = NonNullable<GatewaySettings['upstream']['endpoints']>;

/** @returns reads the metadata, or has it still; rejects with `metadata_incomplete`, `issuer_mismatch`, and what the network says */
export function createUpstreamMetadata({
  upstream: { issuer, endpoints },
  http,
  clock,
  log,
}: Pick<GatewaySettings, 'upstream' | 'http' | 'clock' | 'log'>): () => Promise<ServerMetadata> {
  const named = endpoints && withoutIssuer(endpoints);
  let known: { readonly metadata: Promise<ServerMetadata>; untilEpochMs: number } | undefined;
  let isMissingSaid = false;

  // It stands for one where none is asked for; nothing of the identity provider is compared with it (`upstream.ts`).
  if (issuer === undefined) {
    const alone = { issuer: new URL(endpoints?.token ?? '').origin, ...named };
    return () => Promise.resolve(alone);
  }

  const without = (thrown: unknown): ServerMetadata => {
    if (named === undefined) throw thrown;
    if (!isMissingSaid) log('warn', 'gateway.upstream-metadata-missing', { code: failureOf(thrown, 'server-metadata').code });
    isMissingSaid = true;
    if (known !== undefined) known.untilEpochMs = clock.now() + MISSING_MAX_AGE_MS;
    return { issuer, ...named };
  };

  return () => {
    if (known === undefined || clock.now() >= known.untilEpochMs) {
      const looking = discover(http, issuer, () => clock.now()).then((found) => ({ ...found, ...named }), without);
      known = { metadata: looking, untilEpochMs: clock.now() + MAX_AGE_MS };
      const mine = known;
      // A bad moment of the identity provider is not remembered.
      looking.catch(() => {
        if (known === mine) known = undefined;
      });
    }
    return known.metadata;
  };
}

const withoutIssuer = ({ authorization, token, revocation }: NamedEndpoints): Omit<ServerMetadata, 'issuer'> => ({
  authorization_endpoint: authorization,
  token_endpoint: token,
  ...(revocation !== undefined && { revocation_endpoint: revocation }),
});

/** @throws FailureError `metadata_incomplete`, `issuer_mismatch`, and those of the network */
async function discover(http: Http, issuer: string, now: () => number): Promise<ServerMetadata> {
  for (const url of serverMetadataUrls(issuer)) {
    const looked = await lookForServerMetadata(http, { url, issuer, protocolVersion: NEWEST_REVISION, now });
    if (looked.outcome === 'found') return looked.document;
  }
  throw new FailureError('metadata_incomplete', 'server-metadata', { issuer, reason: 'The identity provider publishes no metadata.' });
}
