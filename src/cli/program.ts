/** The commands, their arguments and their options. Each command is loaded when it runs. */
import { Command } from 'commander';
import type { FetchOptions } from './commands/fetch.ts';
import type { GatewayFlags } from './commands/gateway.ts';
import type { LogoutOptions } from './commands/logout.ts';
import { addCommonOptions, type CommonOptions, collect } from './common-options.ts';
import type { CommandContext } from './context.ts';
import { timedOut } from './ended.ts';
import type { ExitCode } from './exit-codes.ts';
import { addGatewayOptions } from './gateway/gateway-options.ts';
import type { CommandLineIo } from './io.ts';
import type { CommandLineParts } from './parts.ts';
import type { Reporter } from './report/reporter.ts';
import { isColoured } from './report/style.ts';
import { VERSION } from './version.ts';

interface ProgramOptions {
  readonly io: CommandLineIo;
  readonly parts: CommandLineParts;
  readonly reporter: Reporter;
  /** Mistakes in the arguments are reported by the reporter alone. */
  readonly quiet: boolean;
  readonly outcome: { exitCode: number };
}

const RESOURCE = ['<resource>', 'the URL of the protected resource, such as an MCP server'] as const;

export function createProgram(program: ProgramOptions): Command {
  const { io, quiet } = program;
  const root = new Command('authchart')
    .description('Signs in to MCP servers and other resources that OAuth 2.1 protects.')
    .version(VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void (quiet || io.stderr.write(text)),
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => isColoured(io.stdout, io.env),
      getErrHasColors: () => isColoured(io.stderr, io.env),
    })
    .addHelpText('after', EXAMPLES);
  root.configureHelp({ styleTitle: bold, styleCommandText: bold, styleOptionTerm: (text) => text, styleSubcommandTerm: bold });

  const command = (name: string, summary: string): Command => addCommonOptions(root.command(name).description(summary));

  command('login', 'Sign in, in your browser.')
    .argument(...RESOURCE)
    .action((resource: string, options: CommonOptions) =>
      act(program, options, async (context) => (await import('./commands/login.ts')).login(context, resource)),
    );

  command('fetch', 'Send a request with your access token; sign in first where needed.')
    .argument('<url>', 'where to send it')
    .option('-X, --method <method>', 'the method (default: GET, or POST with --data)')
    .option('-H, --header <header>', 'a header, as "Name: value" (repeatable)', collect)
    .option('-d, --data <data>', 'the body; @file takes it from a file, @- from stdin (repeatable, joined by &)', collect)
    .option('-o, --output <file>', 'write the body to a file instead of stdout')
    .option('-i, --include', 'show the status and the headers before the body')
    .option('-f, --fail', 'exit with 22 when the status is 400 or above')
    .option('--resource <url>', 'the resource you sign in to (default: the URL without its query)')
    .action((url: string, options: CommonOptions & FetchOptions) =>
      act(program, options, async (context) => (await import('./commands/fetch.ts')).fetchCommand(context, url, options)),
    );

  command('token', 'Print the access token, refreshed if it is about to expire.')
    .argument(...RESOURCE)
    .action((resource: string, options: CommonOptions) =>
      act(program, options, async (context) => (await import('./commands/token.ts')).token(context, resource)),
    );

  command('status', 'Show the login that is stored for a resource.')
    .argument(...RESOURCE)
    .action((resource: string, options: CommonOptions) =>
      act(program, options, async (context) => (await import('./commands/status.ts')).status(context, resource)),
    );

  command('discover', 'Look at how a resource is protected, and say what is right and what is wrong.')
    .argument(...RESOURCE)
    .action((resource: string, options: CommonOptions) =>
      act(program, options, async (context) => (await import('./commands/discover.ts')).discover(context, resource)),
    );

  command('logout', 'Forget the login that is stored for a resource.')
    .argument(...RESOURCE)
    .option('--forget-registration', "forget this client's registration too")
    .action((resource: string, options: CommonOptions & LogoutOptions) =>
      act(program, options, async (context) => (await import('./commands/logout.ts')).logout(context, resource, options)),
    );

  const gateway = addGatewayOptions(root.command('gateway').description('Put a login in front of an MCP server that has none.')).action(
    (words: readonly string[], flags: GatewayFlags) =>
      act(program, gatewayCommon(flags), async (context) => (await import('./commands/gateway.ts')).gateway(context, words, flags), {
        // The shutdown has a bound of its own, and this one is behind it.
        tidyUpMs: GATEWAY_TIDY_UP_MS,
      }),
  );

  gateway
    .command('keys')
    .description('Make the keys that the replicas of a gateway share.')
    .option('--out <file>', 'write them to this new file, for its owner alone (default: stdout)')
    .option('--json', 'one JSON object a line on stdout, for machines')
    .action((flags: GatewayFlags & { readonly out?: string }) =>
      act(program, gatewayCommon(flags), async (context) => (await import('./commands/gateway.ts')).gatewayKeys(context, flags)),
    );

  return root;
}

/** The options of a login are not the gateway's. Its log is chosen by the command. */
const gatewayCommon = ({ json }: GatewayFlags): CommonOptions => ({ open: false, verbose: true, ...(json !== undefined && { json }) });

async function act(
  { io, parts, reporter, outcome }: ProgramOptions,
  options: CommonOptions,
  command: (context: CommandContext) => Promise<ExitCode>,
  { tidyUpMs = TIDY_UP_MS }: { readonly tidyUpMs?: number } = {},
): Promise<void> {
  const deadline = new AbortController();
  const { timeout } = options;
  const timer =
    timeout === undefined ? undefined : setTimeout(() => deadline.abort(timedOut(timeout)), Math.min(timeout * 1000, 2_147_483_647));
  const signal = AbortSignal.any([io.interrupted, deadline.signal]);
  reporter.configure({ verbose: options.verbose === true, opensBrowser: options.open });
  try {
    signal.throwIfAborted();
    outcome.exitCode = await Promise.race([command({ io, parts, reporter, options, signal }), afterAbort(signal, tidyUpMs)]);
  } catch (thrown) {
    // Whatever a flow says about being stopped, the reason is that it was stopped.
    signal.throwIfAborted();
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

/** A command that is stopped may still tidy up, but not for long. */
const TIDY_UP_MS = 2_000;
const GATEWAY_TIDY_UP_MS = 20_000;

function afterAbort(signal: AbortSignal, tidyUpMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), tidyUpMs).unref(), { once: true });
  });
}

// Commander takes the escape codes out where the stream shows no colours.
const bold = (text: string): string => `\u001B[1m${text}\u001B[22m`;

const EXAMPLES = `
Examples:
  $ authchart discover https://mcp.example.com/mcp
  $ authchart login https://mcp.example.com/mcp
  $ authchart fetch https://mcp.example.com/mcp -d @request.json \\
      -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream'
  $ authchart gateway --resource https://mcp.example.com/mcp --backend http://127.0.0.1:3000/mcp \\
      --issuer https://login.example.com --client-id mcp --client-secret-file secret
  $ curl -H "Authorization: Bearer $(authchart token https://mcp.example.com/mcp)" …

Progress goes to stderr, results to stdout.

Exit codes:
  0 done   1 unexpected   2 usage or configuration   3 sign in first   4 not authorized
  5 try again later   6 the server breaks a rule   7 the store failed   22 --fail and a status from 400 on
  124 --timeout is over   129 hung up   130 interrupted   141 nobody reads the output   143 terminated
`;
