/** What the actors of one client work with: the world outside the chart, made in one place (`client.ts`). */
import type { AccessTokenHolder } from '../access-token.ts';
import type { Journal } from '../durable/journal.ts';
import type { HeldLease, Leases } from '../durable/lease.ts';
import type { Http } from '../protocol/http.ts';
import type { UrlCheck } from '../protocol/server-urls.ts';
import type { AttemptRecords } from '../records/attempt-records.ts';
import type { CredentialRecords } from '../records/credential-records.ts';
import type { DiscoveryRecords } from '../records/discovery-records.ts';
import type { RegistrationRecords } from '../records/registration-records.ts';
import type { SharedMetadata } from '../records/shared-metadata.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../stores/contract.ts';
import type { CallbackOutcome, RedirectTarget } from '../user-agents/contract.ts';
import type { Obtaining } from './obtaining.ts';

export interface Environment {
  readonly settings: Settings;
  readonly http: Http;
  /** What `http` asks before each request, for URLs that are not requested from here. */
  readonly checkUrl: UrlCheck;
  readonly store: Store;
  readonly vault: Store;
  readonly journal: Journal;
  readonly leases: Leases;
  readonly credentials: CredentialRecords;
  readonly registrations: RegistrationRecords;
  readonly discoveries: DiscoveryRecords;
  readonly attempts: AttemptRecords;
  /** What checkpoints name instead of holding it. */
  readonly sharedMetadata: SharedMetadata;
  readonly accessTokens: AccessTokenHolder;
  /** Names this client's flow in the store, so that a callback finds it. */
  readonly flowKey: string;
  /** Hands a callback that reached a redirect target to the client. */
  readonly deliver: (callbackUrl: string) => Promise<CallbackOutcome>;
  /** What is open on behalf of the flow right now; freed by the chart's exit actions. */
  readonly open: {
    redirect?: RedirectTarget | undefined;
    refreshTurn?: HeldLease | undefined;
    /** While it is held, the flow's record is ours to write. */
    flowTurn?: HeldLease | undefined;
    /** What is under way at the token endpoint, also on behalf of a flow that was cancelled. */
    obtaining?: Obtaining | undefined;
  };
  /** What is being freed or deleted behind the chart's back; closing the client waits for it. */
  readonly cleanUps: Set<Promise<unknown>>;
}
