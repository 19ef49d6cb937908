/** The options of `authchart gateway` at the command line. */
import type { Command } from 'commander';
import { collect } from '../common-options.ts';
import { words } from './setting-names.ts';

export function addGatewayOptions(command: Command): Command {
  return command
    .usage('[options] [-- command...]')
    .argument('[command...]', 'after --: a stdio MCP server and its arguments, instead of --backend')
    .optionsGroup('What is protected:')
    .option('--resource <url>', 'the public URL of the MCP server, as clients know it')
    .option('--name <text>', 'its name on the consent page (default: its host)')
    .option('--backend <url>', 'the MCP server behind, over HTTP')
    .option('--backend-command <command>', 'the MCP server behind, over stdio: words, quotes around those with spaces; no shell reads it')
    .option('--backend-env <names>', 'environment variables that command may see (repeatable)', collectWords)
    .option('--backend-token <what>', 'what the backend gets to authenticate with: none or upstream (default: none)')
    .option('--allow-plain-backend', 'let --backend be plain http to another machine: whoever is between sees everything')
    .option('--request-timeout <seconds>', 'how long --backend may take to begin an answer (default: 120)')
    .option('--listen <host:port>', 'where to listen (default: 127.0.0.1, at the port of a loopback --resource, else 8080)')
    .optionsGroup('Who signs people in:')
    .option('--issuer <url>', 'the identity provider')
    .option('--client-id <id>', 'the gateway as a client of it; left out, MCP clients sign in at the identity provider themselves')
    .option('--client-secret-file <file>', 'a file that holds the secret of --client-id (or the variable OIDC_CLIENT_SECRET)')
    .option('--client-key-file <file>', 'a file that holds a private key as JWK, which signs in place of the secret')
    .option('--authorize-endpoint <url>', 'used in place of the one in the metadata of --issuer, or where there is none')
    .option('--token-endpoint <url>', 'the same')
    .option(
      '--upstream-scope <scopes>',
      'asked for at the identity provider in every case (default with --issuer: openid offline_access)',
      collectWords,
    )
    .option('--upstream-resource <url>', 'sent to the identity provider as `resource` (RFC 8707)')
    .option('--gateway-issuer <url>', "the gateway's own issuer identifier (default: the origin of --resource)")
    .optionsGroup('What is let in:')
    .option('--scope <scopes>', 'every scope a client may ask for (repeatable, or in quotes; default: any)', collectWords)
    .option('--default-scope <scopes>', 'for clients that name none (default: all of --scope)', collectWords)
    .option('--require-scope <scopes>', 'every request needs these', collectWords)
    .option('--token-format <format>', 'what clients get: jwt, opaque, or upstream (default: jwt)')
    .option('--audience <names>', "what the identity provider's tokens must be for, one of them (default: --resource)", collectWords)
    .option('--algorithms <names>', "signature algorithms of the identity provider's tokens", collectWords)
    .option('--leeway <seconds>', 'how far the clocks may differ (default: 30)')
    .option('--validator <module:export>', 'a token validator of your own')
    .option('--static-token-file <file>', 'a JSON list of tokens for machines: token or sha256, subject, scopes')
    .option('--allow-anonymous', 'serve requests without a token; for a resource on this machine only')
    .option('--client-address-header <name>', 'the header in which what is before the gateway tells whose request it is')
    .option('--allowed-origin <origin>', 'web pages of this origin may call (repeatable; default: any, they need a token)', collect)
    .optionsGroup('What is kept:')
    .option('--store <where>', 'memory, or the URL of Redis or PostgreSQL, whose driver you install (default: memory)')
    .option('--keys-file <file>', 'the keys that seal and sign; needed with --store (authchart gateway keys writes them)')
    .optionsGroup('How it is run:')
    .option('--config <file>', 'settings as JSON; variables win over it, and options over both')
    .option('--check', 'see whether all is right, print it, and end')
    .option('--json', 'one JSON object a line on stdout, for machines')
    .option('-v, --verbose', 'one line for each request and event, free of secrets')
    .optionsGroup('Options:');
}

function collectWords(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, ...words(value)];
}
