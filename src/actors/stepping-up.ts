/** Actors of `machines/step-up.ts`. */
import { scopeSetKey } from '../../machines/context-updates.ts';
import { FailureError } from '../failure.ts';
import { missingScopes, scopeUnion } from '../protocol/scopes.ts';
import { effect } from './effect.ts';
import { adopt } from './keep-tokens.ts';
import { newestCredential } from './stored-credential.ts';

export const weighStepUp = effect<'weighStepUp'>('step-up', async (environment, { challenge, token, pastStepUps }) => {
  const { settings } = environment;
  const challenged = challenge.facts?.scopes ?? [];
  const stored = token === undefined ? undefined : await newestCredential(environment, token.issuer);
  // Another request, tab or process has stepped up meanwhile (SCO-07).
  const isNewer = stored !== undefined && stored.facts.version !== challenge.tokenVersion;
  if (isNewer && missingScopes(challenged, stored.facts.scopes).length === 0) {
    return { outcome: 'covered', token: adopt(environment, stored.facts, stored.tokens) };
  }
  const previous = stored?.facts ?? token;
  const missing = missingScopes(challenged, previous?.scopes ?? []);
  const scopes = scopeSetKey(challenged);
  const sinceEpochMs = settings.clock.now() - settings.limits.stepUpWindowMs;
  // Asking again for what the user was asked a moment ago is a loop (SCO-05).
  const isRepeated = pastStepUps.some(
    (past) => past.operation === challenge.operation && past.scopes === scopes && past.atEpochMs > sinceEpochMs,
  );
  if (isRepeated) {
    throw new FailureError('step_up_limit', 'step-up', {
      ...(token && { issuer: token.issuer }),
      missingScopes: missing,
      reason: `It asked for: ${challenged.join(' ') || 'no named scope'}.`,
    });
  }
  return {
    outcome: 'needed',
    stepUp: {
      operation: challenge.operation ?? '',
      challenged,
      missing,
      requested: scopeUnion(previous?.requestedScopes ?? [], previous?.scopes ?? [], challenged),
    },
  };
});

export const confirmStepUp = effect<'confirmStepUp'>('step-up', async (environment, { stepUp }) => {
  const { confirmStepUp: confirm } = environment.settings;
  return { confirmed: confirm === undefined || (await confirm({ requested: stepUp.requested, missing: stepUp.missing })) };
});
