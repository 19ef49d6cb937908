/** What the endpoints of one gateway work with, made in one place (`create-gateway.ts`). */
import type { AccessTokens } from './access-tokens.ts';
import type { ClientAssertions } from './client-assertions.ts';
import type { ClientBounds } from './client-bounds.ts';
import type { ClientDocuments } from './client-documents.ts';
import type { ClientRegistration, GatewayClient } from './client-registration.ts';
import type { Pages } from './consent-page.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { Grants } from './grants.ts';
import type { GrantsToEnd } from './grants-to-end.ts';
import type { Endpoints } from './metadata-documents.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { TransactionSecrets } from './transaction-secrets.ts';
import type { Transactions } from './transactions.ts';
import type { Upstream } from './upstream.ts';

export interface GatewayParts {
  readonly settings: GatewaySettings;
  readonly endpoints: Endpoints;
  readonly bounds: ClientBounds;
  readonly assertions: ClientAssertions;
  readonly registration: ClientRegistration;
  readonly documents: ClientDocuments;
  readonly transactions: Transactions;
  readonly secrets: TransactionSecrets;
  readonly upstream: Upstream;
  readonly grants: Grants;
  readonly grantsToEnd: GrantsToEnd;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly pages: Pages;
}

/** A client that registered itself, or one that a document is about. @throws OAuthAnswer */
export async function findClient(
  { registration, documents }: GatewayParts,
  clientId: string,
  network: string | undefined,
): Promise<GatewayClient | undefined> {
  return (await documents.find(clientId, network)) ?? registration.find(clientId);
}
