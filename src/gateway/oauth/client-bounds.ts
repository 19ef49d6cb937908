/**
 * How much one client address may ask of this process: registrations and authorization
 * requests in a minute, transactions that are open (GWY-05). What is counted is bounded
 * itself: the address that was not heard of for the longest time is forgotten.
 */
import type { GatewaySettings } from './gateway-settings.ts';
import { OAuthAnswer } from './oauth-answers.ts';

export interface ClientBounds {
  /** @throws OAuthAnswer 429 with `Retry-After` */
  countRegistration(network: string | undefined): void;
  /** The document of a client is about to be fetched. @throws OAuthAnswer 429 with `Retry-After` */
  countDocument(network: string | undefined): void;
  /** Also looks at how many are open. @throws OAuthAnswer 429 with `Retry-After` */
  countAuthorization(network: string | undefined): void;
  /** A consent page was shown. */
  began(network: string | undefined, transactionId: string): void;
  /** The person is back, or has refused: it counts no longer. */
  ended(network: string | undefined, transactionId: string): void;
}

interface Counted {
  windowFromEpochMs: number;
  registrations: number;
  authorizations: number;
  documents: number;
  /** When each open transaction is over, by identifier; oldest first. */
  readonly open: Map<string, number>;
}

const MINUTE_MS = 60_000;
const MOST_NETWORKS = 10_000;

export function createClientBounds({ limits, clock }: Pick<GatewaySettings, 'limits' | 'clock'>): ClientBounds {
  const networks = new Map<string, Counted>();

  const countedFor = (network: string): Counted => {
    const known = networks.get(network);
    const now = clock.now();
    const counted = known ?? { windowFromEpochMs: now, registrations: 0, authorizations: 0, documents: 0, open: new Map() };
    // To the end, so that the first one is the one to forget.
    networks.delete(network);
    networks.set(network, counted);
    const [oldest] = networks.keys();
    if (networks.size > MOST_NETWORKS && oldest !== undefined) networks.delete(oldest);
    if (now - counted.windowFromEpochMs >= MINUTE_MS || now < counted.windowFromEpochMs) {
      Object.assign(counted, { windowFromEpochMs: now, registrations: 0, authorizations: 0, documents: 0 });
    }
    for (const [id, untilEpochMs] of counted.open) {
      if (untilEpochMs > now) break;
      counted.open.delete(id);
    }
    return counted;
  };

  const refuse = (what: string, untilEpochMs: number): never => {
    const seconds = Math.max(1, Math.ceil((untilEpochMs - clock.now()) / 1000));
    const headers = { 'Retry-After': String(seconds) };
    throw new OAuthAnswer('temporarily_unavailable', `Too many ${what} from this address.`, { status: 429, headers });
  };

  return {
    countRegistration(network) {
      if (network === undefined) return;
      const counted = countedFor(network);
      counted.registrations += 1;
      if (counted.registrations > limits.registrationsPerMinutePerAddress) refuse('registrations', counted.windowFromEpochMs + MINUTE_MS);
    },

    countDocument(network) {
      if (network === undefined) return;
      const counted = countedFor(network);
      counted.documents += 1;
      if (counted.documents > limits.authorizationsPerMinutePerAddress) refuse('client documents', counted.windowFromEpochMs + MINUTE_MS);
    },

    countAuthorization(network) {
      if (network === undefined) return;
      const counted = countedFor(network);
      counted.authorizations += 1;
      if (counted.authorizations > limits.authorizationsPerMinutePerAddress)
        refuse('authorization requests', counted.windowFromEpochMs + MINUTE_MS);
      const [firstEndsEpochMs = clock.now()] = counted.open.values();
      if (counted.open.size >= limits.transactionsPerAddress) refuse('open sign-ins', firstEndsEpochMs);
    },

    began(network, transactionId) {
      if (network !== undefined) countedFor(network).open.set(transactionId, clock.now() + limits.transactionSeconds * 1000);
    },

    ended(network, transactionId) {
      if (network !== undefined) networks.get(network)?.open.delete(transactionId);
    },
  };
}
