/** Makes a chart's actor of a plain async function: the journal first, failures as plain data. */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { ActorContracts, ActorName } from '../../machines/contracts.ts';
import { failureOf, type Phase } from '../failure.ts';
import type { Environment } from './environment.ts';

type Input<Name extends ActorName> = ActorContracts[Name]['input'];
type Output<Name extends ActorName> = ActorContracts[Name]['output'];

/**
 * The effect runs once the transition that asked for it is stored (write-ahead,
 * RES-01). What it throws becomes a `Failure`: an error object would carry the
 * request into XState's events and so into the inspector (SEC-01).
 */
export function effect<Name extends ActorName>(
  environment: Environment,
  phase: Phase,
  run: (input: Input<Name>, signal: AbortSignal) => Promise<Output<Name>> | Output<Name>,
): PromiseActorLogic<Output<Name>, Input<Name>> {
  return fromPromise<Output<Name>, Input<Name>>(async ({ input, signal }) => {
    try {
      await environment.journal.flushed();
      return await run(input, signal);
    } catch (thrown) {
      const failure = failureOf(thrown, phase);
      if (failure.code === 'internal_error') environment.settings.log('error', 'internal-error', { phase, failure });
      throw failure;
    }
  });
}
