/** What the identity provider's metadata says against the configuration: worth a word, and no reason not to start. */
import type { ServerMetadata } from '../../protocol/documents.ts';
import { scopeList, shown } from '../report/words.ts';
import type { GatewayConfiguration } from './configuration.ts';

export function issuerNotes(metadata: ServerMetadata, configuration: GatewayConfiguration): readonly string[] {
  return [...registrationNotes(metadata, configuration), ...scopeNotes(metadata, configuration)];
}

/** A forgotten `--client-id` is a mode of its own, in which nothing else looks wrong until the first client comes. */
function registrationNotes(metadata: ServerMetadata, { signIn }: GatewayConfiguration): readonly string[] {
  const canRegister = metadata.registration_endpoint !== undefined || metadata.client_id_metadata_document_supported === true;
  if (signIn !== undefined || canRegister) return [];
  return [
    `Without --client-id, MCP clients sign in at ${shown(metadata.issuer)} themselves, and they cannot register there: its metadata has neither registration_endpoint nor client_id_metadata_document_supported. Give --client-id to let the gateway sign people in.`,
  ];
}

/** RFC 8414 section 2 lets a server leave scopes out of its list: they may be granted all the same. */
function scopeNotes({ scopes_supported: listed = [] }: ServerMetadata, configuration: GatewayConfiguration): readonly string[] {
  const named = new Set([...(configuration.scopes ?? []), ...configuration.requiredScopes]);
  const missing = [...named].filter((scope) => !listed.includes(scope));
  if (listed.length === 0 || missing.length === 0) return [];
  return [
    `The identity provider does not list these scopes of --scope and --require-scope in its metadata (scopes_supported): ${scopeList(missing)}. See that they exist there, or sign-ins may fail or be granted less.`,
  ];
}
