/** The charts themselves, for people who draw, inspect or test them, or provide actors of their own. */

export type { ActorContracts, ActorName } from '../machines/actor-contracts.ts';
export { type AuthorizationMachine, authorizationMachine } from '../machines/authorization-machine.ts';
export type {
  AuthorizationContext,
  AuthorizationEvent,
  AuthorizationInput,
  StateMeta,
  Tag,
} from '../machines/contracts.ts';
export type {
  IssuedCode,
  TransactionActorContracts,
  TransactionActorName,
  TransactionContext,
  TransactionEvent,
  TransactionFailure,
  TransactionInput,
  TransactionRequest,
  TransactionTag,
} from '../machines/gateway/transaction-contracts.ts';
export { type TransactionActors, type TransactionMachine, transactionMachine } from '../machines/gateway/transaction-machine.ts';
export { type AuthorizationSnapshot, statusOf } from '../machines/selectors.ts';
