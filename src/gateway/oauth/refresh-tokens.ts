/**
 * Refresh tokens: sealed, so that nobody can make one up; each names its grant and the
 * generation it belongs to. Nothing is stored for one (GWY-08).
 */
import * as z from 'zod/mini';
import { FailureError } from '../../failure.ts';
import { seal, unseal } from '../../stores/sealed-entry.ts';
import type { GatewaySettings } from './gateway-settings.ts';

export interface RefreshTokenFacts {
  readonly grantId: string;
  readonly generation: number;
  readonly clientId: string;
}

export interface RefreshTokens {
  issue(facts: RefreshTokenFacts): Promise<string>;
  /** `undefined` for what is no refresh token of this gateway. */
  read(token: string): Promise<RefreshTokenFacts | undefined>;
}

const LONGEST_TOKEN_CHARACTERS = 4096;
const schema = z.object({ grantId: z.string(), generation: z.number(), clientId: z.string() });

export function createRefreshTokens({ ring, issuer, resource }: Pick<GatewaySettings, 'ring' | 'issuer' | 'resource'>): RefreshTokens {
  // What is sealed for another gateway or resource does not open.
  const place = `refresh-token ${issuer} ${resource}`;
  return {
    async issue(facts) {
      const { jwe } = await seal(ring, place, { ...facts });
      return String(jwe);
    },
    async read(token) {
      if (token.length > LONGEST_TOKEN_CHARACTERS) return undefined;
      try {
        return schema.safeParse(await unseal(ring, place, { sealed: 1, jwe: token })).data;
      } catch (thrown) {
        if (thrown instanceof FailureError) return undefined;
        throw thrown;
      }
    },
  };
}
