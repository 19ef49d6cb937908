/** Builds what the actors work with from the settings of one client. */
import { createAccessTokenHolder } from './access-token.ts';
import type { Environment } from './actors/environment.ts';
import { createJournal } from './durable/journal.ts';
import { createLeases } from './durable/lease.ts';
import { createHttp } from './protocol/http.ts';
import { parseWithoutEval } from './protocol/no-eval.ts';
import { createUrlCheck } from './protocol/server-urls.ts';
import { createAttemptRecords } from './records/attempt-records.ts';
import { createCredentialRecords } from './records/credential-records.ts';
import { createDiscoveryRecords } from './records/discovery-records.ts';
import { flowKeyOf } from './records/keys.ts';
import { createRegistrationRecords } from './records/registration-records.ts';
import { createSharedMetadata } from './records/shared-metadata.ts';
import type { Settings } from './settings.ts';
import { memoryStore } from './stores/memory-store.ts';
import { toldStore } from './stores/told-store.ts';

export function createEnvironment(settings: Settings, deliver: Environment['deliver']): Environment {
  parseWithoutEval();
  const { clock, limits, resource, account, logger } = settings;
  const store = settings.store === undefined ? memoryStore({ clock }) : toldStore(settings.store, limits);
  const vault = settings.vault === undefined ? store : toldStore(settings.vault, limits);
  const checkUrl = createUrlCheck(settings);
  const flowKey = flowKeyOf(account, resource);
  return {
    settings,
    store,
    vault,
    flowKey,
    deliver,
    checkUrl,
    http: createHttp({ fetch: settings.fetch, limits, now: clock.now, checkUrl, ...(logger && { logger }) }),
    journal: createJournal({
      store,
      key: flowKey,
      clock,
      report: (failure) => settings.log('error', 'checkpoint-not-stored', { failure }),
    }),
    leases: createLeases({ store, clock, leaseMs: limits.leaseMs }),
    credentials: createCredentialRecords({ store, vault, resource, account }),
    registrations: createRegistrationRecords({ store, vault }),
    discoveries: createDiscoveryRecords({ store, ...(vault !== store && { vault }), clock, limits }),
    attempts: createAttemptRecords({ store, vault, clock }),
    sharedMetadata: createSharedMetadata(store),
    accessTokens: createAccessTokenHolder(),
    open: {},
    cleanUps: new Set(),
  };
}
