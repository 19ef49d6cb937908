/** Options that every command understands, and what they become. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { AuthorizationClientOptions } from '../options.ts';
import { usageError } from './ended.ts';
import { whyUnreadable } from './why-unreadable.ts';

/** As commander hands them over. */
export interface CommonOptions {
  readonly store?: string;
  readonly keychain?: boolean;
  readonly account?: string;
  /** `--no-open` makes it false. */
  readonly open: boolean;
  readonly manual?: boolean;
  readonly json?: boolean;
  readonly scope?: readonly string[];
  readonly issuer?: string;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  readonly clientMetadataUrl?: string;
  readonly redirectUri?: readonly string[];
  /** Origins, as a URL parser writes them. */
  readonly allowOrigin?: readonly string[];
  readonly timeout?: number;
  readonly verbose?: boolean;
}

export const CLIENT_SECRET_VARIABLE = 'AUTHCHART_CLIENT_SECRET';

export function addCommonOptions(command: Command): Command {
  return command
    .optionsGroup('Which login:')
    .option('--store <dir>', 'where logins are kept (default: a directory of your user account)', parseName)
    .option('--keychain', "seal the secrets there with a key in your system's keychain; said once, it stays so for that directory")
    .option('--account <name>', 'tells several identities for one resource apart (default: "default")', parseName)
    .optionsGroup('How you approve:')
    .option('--no-open', 'only show the address to open; do not start a browser')
    .option('--manual', 'for machines without a browser: paste the address you were sent to')
    .option('--scope <scopes>', 'ask for these scopes instead of what the server names (repeatable, or in quotes)', collectScopes)
    .optionsGroup('Which client you are:')
    .option('--client-id <id>', `a client identifier agreed beforehand; its secret from ${CLIENT_SECRET_VARIABLE} or --client-secret-file`)
    .option('--client-secret-file <file>', 'a file that holds the secret of --client-id')
    .option('--issuer <url>', 'the authorization server that --client-id belongs to (default: the one the resource names)')
    .option('--client-metadata-url <url>', 'the https URL of a hosted client ID metadata document')
    .option('--redirect-uri <uri>', 'where the browser comes back to, on this machine (default: http://127.0.0.1/callback)', collect)
    .optionsGroup('Whom you trust:')
    .option(
      '--allow-origin <url>',
      'go to this origin when the server names it, although it is closer to this machine than the server (repeatable)',
      collectOrigins,
    )
    .optionsGroup('Output:')
    .option('--json', 'one JSON object a line on stdout, for machines')
    .option('--timeout <seconds>', 'give up after this many seconds, waiting for you included', parseSeconds)
    .option('-v, --verbose', 'show the log, free of secrets')
    .optionsGroup('Options:');
}

/** Where the servers of a resource may send the flow: by default nowhere closer than the resource itself is (SEC-03). */
export function serverUrls({ allowOrigin }: CommonOptions): Pick<AuthorizationClientOptions, 'serverUrls'> {
  return allowOrigin === undefined ? {} : { serverUrls: { except: ({ origin }) => allowOrigin.includes(origin) } };
}

/** The secret of `--client-id`, never from an argument: arguments are seen by every user of the machine. */
export async function readClientSecret(
  options: CommonOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (options.clientSecretFile === undefined) return env[CLIENT_SECRET_VARIABLE] || undefined;
  const path = options.clientSecretFile;
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw usageError(`The file of --client-secret-file cannot be read${whyUnreadable(thrown, path)}.`);
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw usageError('The file of --client-secret-file is empty.');
  return secret;
}

/** A resource as the user wrote it. */
export function parseResource(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw usageError(`The resource must be an http or https URL, such as https://mcp.example.com/mcp.`);
  }
  return url;
}

export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function collectOrigins(value: string, earlier: readonly string[] = []): readonly string[] {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError('It must be an http or https URL.');
  return [...earlier, url.origin];
}

function collectScopes(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, ...value.split(/\s+/).filter((scope) => scope !== '')];
}

/** An empty directory would be the current one; what is empty comes from a variable that is not set. */
function parseName(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

function parseSeconds(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new InvalidArgumentError('It must be a number of seconds above 0.');
  return seconds;
}
