/** What the gateway is about to do, for the person who starts it. */

import { withoutQuery } from '../../protocol/endpoint-url.ts';
import { factsTable } from '../report/facts-table.ts';
import type { Style } from '../report/style.ts';
import { scopeList, shown } from '../report/words.ts';
import type { GatewayConfiguration, SignInConfiguration } from './configuration.ts';
import { type ListenAddress, listenText } from './listen-address.ts';

export interface StartFacts {
  readonly configuration: GatewayConfiguration;
  readonly listen: ListenAddress;
  /** To be registered at the identity provider; `undefined` where clients go there themselves. */
  readonly callbackUrl: string | undefined;
  /** `undefined`: memory. */
  readonly storeName: string | undefined;
  /** Nothing is started. */
  readonly onlyChecks: boolean;
}

export function startText(facts: StartFacts, style: Style): string {
  const { configuration, callbackUrl } = facts;
  const { resource, issuer, signIn } = configuration;
  const head = facts.onlyChecks ? 'The configuration is right' : `Listening at ${style.cyan(`http://${listenText(facts.listen)}`)}`;
  const table = factsTable(
    [
      ['Protects', shown(resource)],
      ['In front of', backendText(configuration)],
      ['Sign-in at', shown(issuer ?? signIn?.endpoints?.authorization)],
      ['Client', signIn === undefined ? undefined : `${shown(signIn.clientId)}, ${provenBy(signIn)}`],
      ['Callback URL', callbackUrl === undefined ? undefined : `${shown(callbackUrl)} ${style.dim('(register it there)')}`],
      ['Scopes', scopeList(configuration.scopes) ?? 'any that a client asks for'],
      ['Needed', scopeList(configuration.requiredScopes)],
      ['Clients get', clientsGet(configuration)],
      ['Backend gets', backendGets(configuration)],
      ['Also let in', alsoLetIn(configuration)],
      ['Kept', kept(facts)],
    ],
    style,
    '  ',
  );
  const warnings = warningsOf(facts).map((warning) => `${style.yellow(style.symbols.warning)} ${warning}\n`);
  return `\n${style.green(style.symbols.done)} ${style.bold(head)}\n\n${table}${warnings.length === 0 ? '' : `\n${warnings.join('')}`}${
    facts.onlyChecks ? '' : `\n${style.dim('Ctrl-C ends it.')}\n`
  }\n`;
}

/** A secret that was meant to be there, in a variable whose name is misspelt, shows here. */
function provenBy({ clientSecret, clientKey }: SignInConfiguration): string {
  if (clientKey !== undefined) return 'with a key';
  return clientSecret === undefined ? 'without a secret (a public client)' : 'with a secret';
}

/** Arguments of a command are left out: some servers are given secrets so. */
function backendText({ backend }: GatewayConfiguration): string | undefined {
  if (backend.kind === 'http') return shown(withoutQuery(backend.url));
  const [program, ...args] = backend.command;
  const count = args.length === 1 ? '1 argument' : `${args.length} arguments`;
  return shown(args.length === 0 ? `the command ${program}` : `the command ${program}, with ${count}`);
}

function clientsGet({ signIn, issuer, tokens }: GatewayConfiguration): string {
  if (signIn === undefined) {
    const judged = tokens.factory === undefined ? `for ${tokens.audience?.join(', ') ?? 'the resource'}` : `as ${tokens.factory} judges`;
    return shown(`tokens of ${issuer}, ${judged}`) ?? '';
  }
  switch (signIn.format) {
    case 'jwt':
      return 'tokens of the gateway (JWT), good here only';
    case 'opaque':
      return 'tokens of the gateway (opaque), good here only';
    case 'upstream':
      return "the identity provider's own tokens";
  }
}

function backendGets({ backend, signIn }: GatewayConfiguration): string {
  if (backend.kind === 'stdio') return 'no token; the caller in AUTHCHART_SUBJECT, one process for each session';
  if (backend.token === 'none') return 'no token; the caller in X-Authchart-Subject';
  return signIn === undefined || signIn.format === 'upstream' ? "the caller's own token" : "the identity provider's token of the caller";
}

function alsoLetIn({ staticTokens, allowAnonymous, tokens, signIn }: GatewayConfiguration): string | undefined {
  const ways = [
    staticTokens === undefined ? undefined : `${staticTokens.length} static ${staticTokens.length === 1 ? 'token' : 'tokens'}`,
    tokens.factory !== undefined && signIn !== undefined && signIn.format !== 'upstream'
      ? `tokens that ${shown(tokens.factory)} accepts`
      : undefined,
    allowAnonymous ? 'everybody without a token' : undefined,
  ].filter((way) => way !== undefined);
  return ways.length === 0 ? undefined : ways.join(', ');
}

function kept({ configuration, storeName }: StartFacts): string | undefined {
  if (configuration.signIn === undefined) return 'nothing';
  return storeName === undefined ? 'logins in memory: they end with this process' : `logins in ${storeName}, sealed`;
}

function warningsOf({ configuration, listen }: StartFacts): readonly string[] {
  const { resource, allowAnonymous, signIn, warnings } = configuration;
  const isBlind = signIn !== undefined && signIn.clientAddressHeader === undefined;
  const endsTls = new URL(resource).protocol === 'https:';
  return [
    ...warnings,
    ...(allowAnonymous ? ['Requests without a token are served, as nobody.'] : []),
    ...(signIn?.format === 'upstream' ? ["Clients hold tokens that work wherever the identity provider's tokens do."] : []),
    ...(endsTls
      ? [`The gateway speaks plain http at ${listenText(listen)}: what ends TLS for ${new URL(resource).host} has to lead there.`]
      : []),
    ...(endsTls && isBlind
      ? ['Whose request it is, only that knows: with --client-address-header the gateway bounds what one address may ask.']
      : []),
  ];
}

/** The same for machines. */
export function startFields({ configuration, listen, callbackUrl, storeName }: StartFacts): Readonly<Record<string, unknown>> {
  const { resource, backend, issuer, signIn, scopes, requiredScopes } = configuration;
  return {
    resource,
    listen: listenText(listen),
    backend: backendText(configuration),
    issuer,
    callbackUrl,
    scopes,
    requiredScopes,
    tokenFormat: signIn?.format,
    backendToken: backend.kind === 'http' ? backend.token : 'none',
    store: storeName ?? (signIn === undefined ? 'none' : 'memory'),
    warnings: configuration.warnings,
  };
}
