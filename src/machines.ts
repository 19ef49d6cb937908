/** The charts themselves, for people who draw, inspect or test them, or provide actors of their own. */
export { type AuthorizationMachine, authorizationMachine } from '../machines/authorization-machine.ts';
export type {
  ActorContracts,
  ActorName,
  AuthorizationContext,
  AuthorizationEvent,
  AuthorizationInput,
  StateMeta,
  Tag,
} from '../machines/contracts.ts';
export { type AuthorizationSnapshot, statusOf } from '../machines/selectors.ts';
