/** How the chart's context changes: pure functions from context and facts to the groups that are new. */
import { type Failure, failure } from '../src/failure.ts';
import type { Looked, Probe, ResourceMetadata, ServerMetadata } from '../src/protocol/documents.ts';
import { missingScopes } from '../src/protocol/scopes.ts';
import type {
  AuthorizationContext,
  Challenge,
  Discovery,
  IssuerCandidate,
  Obtained,
  PastStepUp,
  Repeats,
  RestoredFlow,
  TokenFacts,
} from './contracts.ts';

type Update = Partial<AuthorizationContext>;

const NO_REPEATS: Repeats = { tries: 0, registrations: 0, authorizations: 0, refreshed: false };

export function initialContext(input: {
  resource: string;
  account: string;
  wellKnownUrls: readonly string[];
  requestTries: number;
}): AuthorizationContext {
  return { ...input, restored: false, flows: 0, repeats: NO_REPEATS, pastStepUps: [] };
}

/** A new flow forgets what the last one was about, but not the credential it may replace. */
export function begun(context: AuthorizationContext, challenge: Challenge): Update {
  return { ...outcomeForgotten(), flows: context.flows + 1, challenge, stepUp: undefined, grant: undefined, followed: undefined };
}

/** How the last flow went must not be taken for the outcome of what follows. */
export function outcomeForgotten(): Update {
  return { repeats: NO_REPEATS, discovery: undefined, failure: undefined, warning: undefined };
}

/** What the store holds takes the place of all that was known of a flow. */
export function restored(found: RestoredFlow['context']): Update {
  const nothing: Update = {
    challenge: undefined,
    authorizationServer: undefined,
    redirectUri: undefined,
    client: undefined,
    grant: undefined,
    token: undefined,
    stepUp: undefined,
    followed: undefined,
  };
  return { ...nothing, ...found, restored: true };
}

/** The challenge's own URL comes first, then the well-known places, each once (PRM-01, CHA-04). */
export function discoveryPlanned(context: AuthorizationContext, staleBecause?: Failure): Update {
  const named = context.challenge?.facts?.resourceMetadataUrl;
  const urls = named === undefined ? context.wellKnownUrls : [named, ...context.wellKnownUrls];
  return {
    discovery: {
      resourceUrls: [...new Set(urls)],
      resourceIndex: 0,
      issuers: [],
      issuerIndex: 0,
      urlIndex: 0,
      ...(staleBecause !== undefined && { staleBecause }),
      probes: context.discovery?.probes ?? [],
    },
    repeats: { ...context.repeats, tries: 0 },
  };
}

function discovering(context: AuthorizationContext, change: Partial<Discovery>): Update {
  if (context.discovery === undefined) return {};
  return { discovery: { ...context.discovery, ...change }, repeats: { ...context.repeats, tries: 0 } };
}

function withProbe(context: AuthorizationContext, probe: Probe): readonly Probe[] {
  return [...(context.discovery?.probes ?? []), probe];
}

export function resourceLookedAt(context: AuthorizationContext, looked: Looked<ResourceMetadata>): Update {
  const probes = withProbe(context, looked.probe);
  if (looked.outcome === 'found') return discovering(context, { probes, resourceMetadata: looked.document });
  return discovering(context, { probes, resourceIndex: (context.discovery?.resourceIndex ?? 0) + 1 });
}

export function authorizationServersOrdered(
  context: AuthorizationContext,
  { issuers, refused = [] }: { readonly issuers: readonly IssuerCandidate[]; readonly refused?: readonly Probe[] },
): Update {
  const probes = [...(context.discovery?.probes ?? []), ...refused];
  return discovering(context, { issuers, issuerIndex: 0, urlIndex: 0, probes });
}

export function serverLookedAt(context: AuthorizationContext, looked: Looked<ServerMetadata>): Update {
  const probes = withProbe(context, looked.probe);
  if (looked.outcome === 'found') return discovering(context, { probes });
  return discovering(context, { probes, urlIndex: (context.discovery?.urlIndex ?? 0) + 1 });
}

/** False on the legacy path: no document, or one that names no authorization server (PRM-05). */
export function namesServers(document: ResourceMetadata | undefined): boolean {
  return (document?.authorization_servers.length ?? 0) > 0;
}

export function nextIssuer(context: AuthorizationContext): Update {
  return discovering(context, { issuerIndex: (context.discovery?.issuerIndex ?? 0) + 1, urlIndex: 0 });
}

export function tried(context: AuthorizationContext): Update {
  return { repeats: { ...context.repeats, tries: context.repeats.tries + 1 } };
}

export function repeated(context: AuthorizationContext, change: Partial<Repeats>): Update {
  return { repeats: { ...context.repeats, tries: 0, ...change } };
}

/** Enough to bound any operation, small enough for a checkpoint. */
const PAST_STEP_UPS_KEPT = 20;

/** The same scopes in any order are the same step-up. */
export const scopeSetKey = (scopes: readonly string[]): string => [...scopes].sort().join(' ');

function stepUpAnswered({ stepUp, pastStepUps }: AuthorizationContext, token: TokenFacts): Update {
  if (stepUp === undefined) return {};
  const answered: PastStepUp = {
    operation: stepUp.operation,
    scopes: scopeSetKey(stepUp.challenged),
    atEpochMs: token.obtainedAtEpochSeconds * 1000,
  };
  return { pastStepUps: [...pastStepUps, answered].slice(-PAST_STEP_UPS_KEPT) };
}

/** The flow reached its end: what it was about is forgotten, the credential is kept. */
export function authorized(context: AuthorizationContext, obtained: Obtained): Update {
  return {
    ...stepUpAnswered(context, obtained.token),
    ...adopted(obtained.token),
    warning: obtained.warning,
  };
}

/** A token another request or process obtained: nobody was asked anything here. */
export function adopted(token: TokenFacts): Update {
  return {
    token,
    warning: undefined,
    challenge: undefined,
    grant: undefined,
    redirectUri: undefined,
    stepUp: undefined,
    followed: undefined,
    failure: undefined,
  };
}

export function narrowlyAuthorized(context: AuthorizationContext, obtained: Obtained): Update {
  const lacking = missingScopes(context.stepUp?.challenged, obtained.token.scopes);
  return {
    ...authorized(context, obtained),
    failure: failure('scope_not_granted', 'step-up', {
      issuer: obtained.token.issuer,
      missingScopes: lacking,
      reason: `Missing: ${lacking.join(' ')}.`,
    }),
  };
}

/** What an actor rejected with; anything that is no failure is a bug with a name of its own. */
export function failureFrom(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'phase' in error && 'advice' in error) {
    return error as Failure;
  }
  return failure('internal_error', 'request');
}
