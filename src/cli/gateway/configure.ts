/** From the three sources to one configuration: every mistake at once, by the name it came under, never by its value. */

import type { SigningKey } from '../../gateway/oauth/gateway-options.ts';
import type { StaticToken } from '../../gateway/static-token-validator.ts';
import { webUrl } from '../../protocol/endpoint-url.ts';
import { shown } from '../report/words.ts';
import type { BackendConfiguration, BackendTokenMode, GatewayConfiguration, SignInConfiguration, TokenFormat } from './configuration.ts';
import { readKeysFile } from './keys-file.ts';
import { defaultListen, type ListenAddress, listenText, parseListen } from './listen-address.ts';
import { isRunnable } from './look-backend.ts';
import { onceEach } from './once-each.ts';
import { problemsOfParts } from './option-labels.ts';
import { type Complain, isReadByOthers, type ReadNamedFile, readingNamedFiles } from './secret-files.ts';
import type { Setting } from './setting-names.ts';
import { type GivenSettings, readSettings, type SettingSources } from './setting-sources.ts';
import { splitCommand } from './split-command.ts';
import { unsafeCombinations } from './unsafe-combinations.ts';

export type Configured = { readonly configuration: GatewayConfiguration } | { readonly problems: readonly string[] };

/** The first of each is the default. */
const FORMATS: readonly TokenFormat[] = ['jwt', 'opaque', 'upstream'];
const TOKEN_MODES: readonly BackendTokenMode[] = ['none', 'upstream'];

/** @param command what stood after `--` */
export async function configure(sources: SettingSources, command: readonly string[]): Promise<Configured> {
  const { given, problems: misread } = readSettings(sources);
  const problems = [...misread];
  const warnings: string[] = [];
  const complain: Complain = (problem) => void problems.push(problem);
  const readFile = readingNamedFiles(given, complain, warnings);
  const configuration: GatewayConfiguration = {
    resource: given.text('resource') ?? '',
    name: given.text('name'),
    listen: listenOf(given, complain),
    backend: backendOf(given, command, complain) ?? { kind: 'http', url: '', token: 'none', timeoutSeconds: undefined },
    issuer: given.text('issuer'),
    signIn: signInOf(given, readFile, complain),
    scopes: given.list('scope'),
    requiredScopes: given.list('requireScope') ?? [],
    tokens: {
      audience: given.list('audience'),
      algorithms: given.list('algorithms'),
      leewaySeconds: numberOf(given.text('leeway')),
      factory: given.text('validator'),
      factoryLabel: given.label('validator'),
    },
    staticTokens: jsonTokens(readFile('staticTokenFile'), given.label('staticTokenFile'), complain),
    allowAnonymous: given.has('allowAnonymous'),
    allowedOrigins: given.list('allowedOrigin'),
    store: storeOf(given, sources.configFile, complain, warnings),
    keys: readKeysFile(readFile('keysFile'), given.label('keysFile'), complain),
    warnings,
  };
  warnings.push(...portWarnings(configuration, given));
  problems.push(...(await problemsOfParts(configuration, given)));
  const told = onceEach(problems, unsafeCombinations(configuration, given), given);
  return told.length > 0 ? { problems: told } : { configuration };
}

function signInOf(given: GivenSettings, readFile: ReadNamedFile, complain: Complain): SignInConfiguration | undefined {
  const clientId = given.text('clientId');
  const format = choiceOf(given, 'tokenFormat', FORMATS, complain);
  // Looked at in any case: a file that cannot be read is a mistake by itself.
  const clientSecret = given.text('clientSecret') ?? readFile('clientSecretFile');
  const clientKey = jsonKey(readFile('clientKeyFile'), given.label('clientKeyFile'), complain);
  if (clientId === undefined) return undefined;
  const [authorization, token] = [given.text('authorizeEndpoint'), given.text('tokenEndpoint')];
  const isNamed = authorization !== undefined || token !== undefined;
  return {
    clientId,
    clientSecret,
    clientKey,
    endpoints: isNamed ? { authorization: authorization ?? '', token: token ?? '' } : undefined,
    scopes: given.list('upstreamScope'),
    resource: given.text('upstreamResource'),
    gatewayIssuer: given.text('gatewayIssuer'),
    defaultScope: given.list('defaultScope'),
    format,
    maxRedirectUris: numberOf(given.text('maxRedirectUris')),
    clientAddressHeader: given.text('clientAddressHeader'),
  };
}

/** What is no number is refused by the part that gets it. */
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : /^\d+(\.\d+)?$/.test(text) ? Number(text) : -1;

function choiceOf<Value extends string>(given: GivenSettings, setting: Setting, among: readonly Value[], complain: Complain): Value {
  const [otherwise] = among;
  const text = given.text(setting) ?? otherwise;
  if (!(among as readonly (string | undefined)[]).includes(text)) complain(`${given.label(setting)} must be one of ${among.join(', ')}.`);
  return text as Value;
}

function listenOf(given: GivenSettings, complain: Complain): ListenAddress {
  const resource = given.text('resource');
  const text = given.text('listen');
  const parsed = text === undefined ? undefined : parseListen(text);
  if (text !== undefined && parsed === undefined) {
    complain(`${given.label('listen')} must be host:port, [address]:port, or a port, such as 127.0.0.1:8080.`);
  }
  return parsed ?? defaultListen(resource === undefined ? undefined : webUrl(resource));
}

/** Right where something forwards that port, as containers have it; otherwise nobody comes. */
function portWarnings({ resource, listen }: GatewayConfiguration, given: GivenSettings): readonly string[] {
  const url = webUrl(resource);
  const port = Number(url?.port || 80);
  if (url?.protocol !== 'http:' || port === listen.port) return [];
  return [
    `Clients go to port ${port}, as ${given.label('resource')} says, and the gateway listens at ${listenText(listen)}: unless something leads from there to here, nobody reaches it.`,
  ];
}

function backendOf(given: GivenSettings, after: readonly string[], complain: Complain): BackendConfiguration | undefined {
  const token = choiceOf(given, 'backendToken', TOKEN_MODES, complain);
  const url = given.text('backend');
  const written = given.text('backendCommand') ?? given.list('backendCommand');
  const said = [url !== undefined, written !== undefined, after.length > 0].filter(Boolean).length;
  if (said === 0) {
    return complain('Name what to put the login in front of: `--backend` with the URL of an MCP server, or a command after `--`.');
  }
  if (said > 1) return complain('There is one backend: `--backend`, `--backend-command`, or a command after `--`, not several of them.');
  if (url !== undefined) {
    if (given.has('backendEnv')) complain(`${given.label('backendEnv')} is for a backend that is a command.`);
    const parsed = webUrl(url);
    if (parsed === undefined || parsed.hash !== '') {
      return complain(`${given.label('backend')} must be an http or https URL, without user name and fragment.`);
    }
    return { kind: 'http', url: parsed.href, token, timeoutSeconds: numberOf(given.text('requestTimeout')) };
  }
  return commandOf(given, (typeof written === 'string' ? splitCommand(written) : written) ?? after, after.length > 0, complain);
}

function commandOf(
  given: GivenSettings,
  [program, ...args]: readonly string[],
  isAfter: boolean,
  complain: Complain,
): BackendConfiguration | undefined {
  if (program === undefined || program === '') {
    return complain(`${given.label('backendCommand')} is no command: a quote has no end, or there is no word.`);
  }
  const label = isAfter ? 'The command after `--`' : given.label('backendCommand');
  const [, variable] = /^([A-Za-z_]\w*)=/.exec(program) ?? [];
  if (variable !== undefined) {
    // As shells have it. What is assigned is often a secret, and is not quoted.
    complain(
      `${label} begins with a variable instead of a program, and no shell reads it: set ${shown(variable)} for the gateway, and hand it on with \`--backend-env ${shown(variable)}\`.`,
    );
  } else if (!isRunnable(program)) {
    complain(
      `${label} names the program ${shown(program)}, which is not there or cannot be run: give its path, or see that it is installed and in PATH.`,
    );
  }
  const env = given.list('backendEnv') ?? [];
  if (!env.every((name) => /^[A-Za-z_]\w*$/.test(name)))
    complain(`${given.label('backendEnv')} must name environment variables, without values.`);
  return { kind: 'stdio', command: [program, ...args], env };
}

function storeOf(given: GivenSettings, configFile: string | undefined, complain: Complain, warnings: string[]): string | undefined {
  const text = given.text('store');
  if (text === undefined || text === 'memory') return undefined;
  const label = given.label('store');
  if (holdsPassword(text)) {
    if (label === '`--store`') {
      return complain(
        '`--store` holds a password, and arguments are seen by every user of this machine: put the URL into the variable `AUTHCHART_GATEWAY_STORE`.',
      );
    }
    if (label.endsWith('configuration file') && configFile !== undefined && isReadByOthers(configFile)) {
      warnings.push(`${label} holds a password, and that file can be read by other users of this machine; chmod 600 ends that.`);
    }
  }
  // It may hold a password, and is not quoted.
  if (/^(rediss?|postgres(ql)?):\/\//.test(text) && URL.canParse(text)) return text;
  return complain(
    `${given.label('store')} must be \`memory\`, or the URL of a database: redis://, rediss://, postgres:// or postgresql://.`,
  );
}

/** Before the host, or as a parameter: drivers read both. */
function holdsPassword(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && (parsed.password !== '' || [...parsed.searchParams.keys()].some((name) => /password$/i.test(name)));
}

function jsonKey(text: string | undefined, label: string, complain: Complain): SigningKey | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as SigningKey;
  } catch {
    // The parser's own words quote what it stumbled over, and that is a key.
  }
  return complain(`${label} must name a file with a private key as JWK, with \`alg\` and \`kid\`.`);
}

function jsonTokens(text: string | undefined, label: string, complain: Complain): readonly StaticToken[] | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every((one) => typeof one === 'object' && one !== null)) return parsed as readonly StaticToken[];
  } catch {
    // The parser's own words quote what it stumbled over, and that is a token.
  }
  return complain(
    `${label} must name a file with a JSON list of objects: \`token\` or \`sha256\`, \`subject\`, and \`scopes\` if there are any.`,
  );
}
