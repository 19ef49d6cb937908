/** Which scopes to ask for: the selection of SCO-01, or the union of a step-up (SCO-04). */
import type { ScopeSources } from '../../machines/actor-contracts.ts';
import type { StepUp } from '../../machines/contracts.ts';
import { scopeUnion, selectScopes } from '../protocol/scopes.ts';
import type { Settings } from '../settings.ts';
import { issuerPolicy } from './issuer-policy.ts';

export function scopesToRequest(
  settings: Settings,
  { challenge, stepUp, authorizationServer }: ScopeSources,
): readonly string[] | undefined {
  const { metadata, resourceScopes, issuer } = authorizationServer;
  const asked = challenge?.scopes ?? settings.scopes;
  // A step-up never asks for less than what was there before it (SEP-2350).
  const override = stepUp === undefined ? asked : scopeUnion(asked, stepUp.requested, scopesOfUnnamed(stepUp, resourceScopes));
  return selectScopes({
    override,
    challenge: challenge?.facts?.scopes,
    resourceMetadata: resourceScopes,
    serverMetadata: metadata.scopes_supported,
    useServerScopes: issuerPolicy(settings, issuer)?.useServerScopes,
    clientMetadata: settings.clientMetadata.scope,
    offlineAccess: settings.offlineAccess,
  });
}

/** A challenge that names no scope leaves the choice to the metadata of the resource, as the first login does (SCO-01). */
const scopesOfUnnamed = ({ challenged }: StepUp, resourceScopes: readonly string[] | undefined): readonly string[] | undefined =>
  challenged.length === 0 ? resourceScopes : undefined;
