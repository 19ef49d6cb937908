/** Makes a chart's actor of a plain async function: the journal first, failures as plain data. */
import { type AnyActorRef, fromPromise, type PromiseActorLogic } from 'xstate';
import type { ActorContracts, ActorName } from '../../machines/actor-contracts.ts';
import { FailureError, failureOf, type Phase } from '../failure.ts';
import type { Environment } from './environment.ts';

type Input<Name extends ActorName> = ActorContracts[Name]['input'];
type Output<Name extends ActorName> = ActorContracts[Name]['output'];

type System = AnyActorRef['system'];

const environments = new WeakMap<System, Environment>();

/** The world of one client's chart; every actor of its system works in it. */
export function setEnvironment(system: System, environment: Environment): void {
  environments.set(system, environment);
}

export function environmentOf(system: System): Environment {
  const environment = environments.get(system);
  if (environment === undefined)
    throw new FailureError('internal_error', 'configuration', { reason: 'The chart was started without an environment.' });
  return environment;
}

/**
 * The effect runs once the transition that asked for it is stored (write-ahead,
 * RES-01). What it throws becomes a `Failure`: an error object would carry the
 * request into XState's events and so into the inspector (SEC-01).
 *
 * The environment is found by the actor system instead of being closed over:
 * the chart is then provided with its effects once per process and not once per
 * client, which would copy every state node.
 *
 * `isRecorded`: what the effect does for the user is in the store since an earlier
 * state, so that a store with a bad moment does not end the login here.
 */
export function effect<Name extends ActorName>(
  phase: Phase,
  run: (environment: Environment, input: Input<Name>, signal: AbortSignal) => Promise<Output<Name>> | Output<Name>,
  { isRecorded = false }: { readonly isRecorded?: boolean } = {},
): PromiseActorLogic<Output<Name>, Input<Name>> {
  return fromPromise<Output<Name>, Input<Name>>(async ({ input, signal, system }) => {
    const environment = environmentOf(system);
    try {
      if (!isRecorded) await environment.journal.flushed();
      // The flow was cancelled meanwhile: what has not begun does not happen.
      if (signal.aborted) throw cancelled(phase);
      return await run(environment, input, signal);
    } catch (thrown) {
      // Nobody waits for it any more, and how it ended is nobody's mistake.
      if (signal.aborted) throw cancelled(phase).failure;
      const failure = failureOf(thrown, phase);
      if (failure.code === 'internal_error') environment.settings.log('error', 'internal-error', { phase, failure });
      throw failure;
    }
  });
}

const cancelled = (phase: Phase): FailureError => new FailureError('cancelled', phase);
