import { writeFile } from 'node:fs/promises';
import { AuthorizationError } from '../../errors.ts';
import { type Failure, kindOf } from '../../failure.ts';
import type { ProtectedHandler } from '../../gateway/protect-options.ts';
import type { LogRecord } from '../../options.ts';
import type { CommandContext } from '../context.ts';
import { Ended, usageError } from '../ended.ts';
import { EXIT_CODES, type ExitCode, exitCodeOf } from '../exit-codes.ts';
import { assemble } from '../gateway/assemble.ts';
import type { GatewayConfiguration } from '../gateway/configuration.ts';
import { configure } from '../gateway/configure.ts';
import { issuerNotes } from '../gateway/issuer-notes.ts';
import { makeKeysFile } from '../gateway/keys-file.ts';
import { whyUnreachable } from '../gateway/look-backend.ts';
import { lookUpstream } from '../gateway/look-upstream.ts';
import { listen } from '../gateway/node-server.ts';
import { openStore } from '../gateway/open-store.ts';
import { type StartFacts, startFields, startText } from '../gateway/start-print.ts';
import type { OpenStore } from '../gateway/store-driver.ts';
import { endingStreams } from '../gateway/waiting-streams.ts';

export interface GatewayFlags {
  readonly config?: string;
  readonly check?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly [flag: string]: unknown;
}

/** Requests that are under way when the gateway is told to end have this long. */
export const SHUTDOWN_GRACE_MS = 10_000;

/** Runs until SIGINT, SIGTERM or SIGHUP; a stop in order is a success. */
export async function gateway(context: CommandContext, command: readonly string[], flags: GatewayFlags): Promise<ExitCode> {
  const { io, parts, reporter } = context;
  const configured = await configure({ flags, environment: io.env, configFile: flags.config }, command);
  if ('problems' in configured) throw misconfigured(configured.problems);
  const { configuration } = configured;
  await lookAtIssuer(context, configuration, flags);

  const open =
    configuration.store === undefined
      ? undefined
      : await openStore(configuration.store, process.cwd(), parts.clock, { isCheck: flags.check === true });
  const logger = (record: LogRecord): void => {
    if (flags.verbose === true || record.level === 'warn' || record.level === 'error') reporter.log(record);
  };
  try {
    if (open !== undefined) await askStore(context, open, flags);
    return await serve(context, configuration, { flags, logger, open });
  } finally {
    await open?.close().catch(() => {});
  }
}

interface Serving {
  readonly flags: GatewayFlags;
  readonly logger: (record: LogRecord) => void;
  readonly open: OpenStore | undefined;
}

async function serve(context: CommandContext, configuration: GatewayConfiguration, { flags, logger, open }: Serving): Promise<ExitCode> {
  const { io, parts, reporter, signal } = context;
  const assembled = await assemble(configuration, {
    clock: parts.clock,
    logger,
    store: open?.store,
    environment: io.env,
    stopping: signal,
  }).catch((thrown: unknown) => {
    const problems = thrown instanceof AuthorizationError ? thrown.failure.details.problems : undefined;
    if (problems === undefined) throw thrown;
    throw misconfigured(problems.map((one) => one.replaceAll('`TOKEN_VALIDATOR_FACTORY`', configuration.tokens.factoryLabel)));
  });
  try {
    const facts = factsOf(configuration, assembled.callbackUrl, open, flags);
    if (flags.check === true) {
      await lookAtBackend(context, configuration, flags);
      signal.throwIfAborted();
      reporter.announce('checked', startFields(facts), (style) => startText(facts, style));
      return EXIT_CODES.ok;
    }
    const handler = logging(endingStreams(assembled.handler, signal), logger, () => parts.clock.now());
    signal.throwIfAborted();
    // What ends TLS connects for everybody: bounds by its address would be one for all.
    const isDirect = new URL(configuration.resource).protocol === 'http:';
    const asked: ProtectedHandler = (request, platform) => handler(request, isDirect ? platform : {});
    const server = await listen(asked, configuration.listen, (event, details) =>
      logger({ level: 'error', event, atEpochMs: parts.clock.now(), ...details }),
    );
    const started = { ...facts, listen: server.address };
    reporter.announce('listening', startFields(started), (style) => startText(started, style));
    // Not waited for: whoever is behind may start after the gateway.
    lookAtBackend(context, configuration, flags).catch(() => {});
    await aborted(signal);
    reporter.announce('stopping', {}, (style) => `\n${style.dim('Ending: requests under way have 10 seconds.')}\n`);
    const isOrderly = await server.close(SHUTDOWN_GRACE_MS);
    // After the requests, which need them: processes, and connections to the backend.
    await assembled.close();
    const done = isOrderly ? 'Ended.' : 'Ended; what was still under way was cut off.';
    reporter.announce('stopped', { isOrderly }, (style) => `${style.green(style.symbols.done)} ${done}\n`);
    if (signal.reason instanceof Ended && signal.reason.code === 'interrupted') return EXIT_CODES.ok;
    throw signal.reason;
  } finally {
    await assembled.close();
  }
}

/** Writes fresh keys to a file that only its owner can read, or to stdout. Never over a file that is there. */
export async function gatewayKeys({ parts, reporter }: CommandContext, { out }: { readonly out?: string }): Promise<ExitCode> {
  const keys = await makeKeysFile(parts.clock.now());
  if (out === undefined) {
    reporter.result('gateway keys', { keys: JSON.parse(keys) }, () => keys);
    return EXIT_CODES.ok;
  }
  try {
    await writeFile(out, keys, { mode: 0o600, flag: 'wx' });
  } catch (thrown) {
    const isThere = Object(thrown)['code'] === 'EEXIST';
    throw usageError(
      isThere ? 'The file of --out is there already: what was sealed with its keys would be lost.' : 'The file of --out cannot be written.',
    );
  }
  reporter.result('gateway keys', { file: out }, () => `Keys written to ${out}. Keep them as you keep passwords.\n`);
  return EXIT_CODES.ok;
}

function misconfigured(problems: readonly string[]): Ended {
  const list =
    problems.length === 1
      ? (problems[0] ?? '')
      : `The gateway cannot be started like this:\n${problems.map((one) => `  - ${one}`).join('\n')}`;
  return new Ended(EXIT_CODES.usage, 'invalid_configuration', list, 'See authchart gateway --help.');
}

/** A mistake stops the start; an outage does not, or a restart would need the identity provider. */
async function lookAtIssuer({ parts, reporter }: CommandContext, configuration: GatewayConfiguration, flags: GatewayFlags): Promise<void> {
  const { issuer, signIn } = configuration;
  if (issuer === undefined) {
    reporter.note(
      'Without --issuer nobody is known by name: each sign-in is a subject of its own, and nothing can be revoked at the identity provider.',
    );
    return;
  }
  const look = await lookUpstream(issuer, parts.clock);
  if (look.outcome === 'found') {
    for (const note of issuerNotes(look.metadata, configuration)) reporter.note(note);
    return;
  }
  const { message, code } = look.failure;
  if (signIn?.endpoints !== undefined) {
    reporter.note(
      `The metadata of the identity provider (--issuer) cannot be had. ${message} Sign-ins go by --authorize-endpoint and --token-endpoint alone; nothing can be revoked there.`,
    );
    return;
  }
  if (look.outcome === 'wrong' || flags.check === true)
    throw new Ended(exitCodeOf(look.failure), code, `The identity provider (--issuer): ${message}`, issuerAdvice(look.failure));
  reporter.note(`The identity provider cannot be asked now. ${message} The gateway starts all the same; sign-ins fail until it can be.`);
}

/** Whoever reads it has just written `--issuer`: that is more often wrong than the server it names. */
function issuerAdvice({ code, advice, retryable }: Failure): string {
  if (retryable) return 'See that --issuer is right, and that this machine can reach it.';
  if (code === 'issuer_mismatch') return 'Let --issuer be what the metadata names as `issuer`, slash and all.';
  if (code === 'metadata_incomplete')
    return 'Name the issuer identifier: that URL without /.well-known/…. Where there is no metadata, add --authorize-endpoint and --token-endpoint.';
  return advice;
}

/** An outage does not stop the start here either: what needs the store is answered with 503 until it is back. */
async function askStore({ reporter }: CommandContext, { store, name, isEmpty }: OpenStore, flags: GatewayFlags): Promise<void> {
  if (isEmpty) return reporter.note(`${name} (--store) holds no tables of authchart yet: the start makes them.`);
  try {
    await store.read('gateway-start');
  } catch {
    const message = `${name} (--store) cannot be asked now.`;
    if (flags.check === true)
      throw new Ended(EXIT_CODES.storeFailed, 'store_unreachable', message, 'See that its URL is right, and that it runs.');
    reporter.note(`${message} The gateway starts all the same; sign-ins fail until it can be.`);
  }
}

async function lookAtBackend(
  { parts, reporter, signal }: CommandContext,
  { backend }: GatewayConfiguration,
  flags: GatewayFlags,
): Promise<void> {
  if (backend.kind !== 'http') return;
  const reason = await whyUnreachable(backend.url, parts.clock, signal);
  if (reason === undefined) return;
  const message = `The MCP server behind (--backend) cannot be reached now: ${reason}.`;
  if (flags.check === true)
    throw new Ended(EXIT_CODES.tryLater, 'backend_unreachable', message, 'See that its URL is right, and that it runs.');
  reporter.note(`${message} Requests are answered with 502 until it can be.`);
}

function factsOf(
  configuration: GatewayConfiguration,
  callbackUrl: string | undefined,
  open: OpenStore | undefined,
  flags: GatewayFlags,
): StartFacts {
  return { configuration, listen: configuration.listen, callbackUrl, storeName: open?.name, onlyChecks: flags.check === true };
}

/** One record for each request: its path without the query, which may hold codes. */
function logging(handler: ProtectedHandler, logger: (record: LogRecord) => void, now: () => number): ProtectedHandler {
  return async (request, platform) => {
    const startedEpochMs = now();
    let response: Response;
    try {
      response = await handler(request, platform);
    } catch (thrown) {
      logger({ level: 'error', event: 'request-failed', atEpochMs: now(), thrown: kindOf(thrown) });
      response = new Response(null, { status: 500 });
    }
    const { pathname } = new URL(request.url);
    logger({
      level: 'info',
      event: 'request',
      atEpochMs: now(),
      method: request.method,
      path: pathname.slice(0, 200),
      status: response.status,
      durationMs: now() - startedEpochMs,
    });
    return response;
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
