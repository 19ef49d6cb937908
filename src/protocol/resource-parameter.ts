/**
 * The `resource` parameter of authorization and token requests: RFC 8707 section
 * 2, MCP "Resource Parameter Implementation" (AUT-02).
 */
import type { IssuerPolicy } from '../options.ts';

/** The first MCP revision that asks for `resource`; revisions are dates and compare as text. */
const FIRST_REVISION_WITH_RESOURCE = '2025-06-18';

/**
 * What to send as `resource`, or `undefined` for nothing. The value goes to the
 * authorization endpoint, the exchange and every refresh alike.
 *
 * Servers of the 2025-03-26 revision know no `resource` and some refuse unknown
 * parameters, so it is left out when neither protected resource metadata nor the
 * protocol revision asks for it. A policy per issuer overrides both: `false` for
 * servers that fail on it (Microsoft Entra ID refuses it beside v2 scopes,
 * AADSTS9010010), a string for servers that know the resource by another name.
 */
export function resourceParameter(o: {
  /** The canonical resource identifier: no fragment, no added slash. */
  readonly resource: string;
  readonly hasResourceMetadata: boolean;
  readonly protocolVersion: string;
  readonly policy?: IssuerPolicy | undefined;
}): string | undefined {
  const ruled = o.policy?.resourceParameter;
  if (ruled === false) return undefined;
  if (ruled !== undefined) return ruled;
  return o.hasResourceMetadata || o.protocolVersion >= FIRST_REVISION_WITH_RESOURCE ? o.resource : undefined;
}
