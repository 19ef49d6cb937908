/** Makes the client a command works with out of the options, and reports its flow. */
import type { AuthorizationClientOptions, PreregisteredClient } from '../options.ts';
import type { UserAgent } from '../user-agents/contract.ts';
import { readClientSecret, serverUrls } from './common-options.ts';
import type { CommandContext } from './context.ts';
import { usageError } from './ended.ts';
import type { CommandLineClient } from './parts.ts';

const APPLICATION_NAME = 'authchart';
const REDIRECT_URI = 'http://127.0.0.1/callback';

interface ClientUse {
  readonly resource: URL;
  /** May the command bring up an authorization page? One that only looks must not. */
  readonly signsIn: boolean;
}

/** Runs `work` with a client whose steps are reported; ends its flow when the command is stopped. */
export async function withClient<Result>(
  context: CommandContext,
  use: ClientUse,
  work: (client: CommandLineClient) => Promise<Result>,
): Promise<Result> {
  const { parts, reporter, signal } = context;
  const client = await parts.createClient(await clientOptions(context, use));
  const unsubscribe = client.subscribe((status, progress) => reporter.status(status, progress));
  const cancel = (): void => client.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work(client);
  } finally {
    signal.removeEventListener('abort', cancel);
    unsubscribe();
    await client.close();
  }
}

async function clientOptions(context: CommandContext, { resource, signsIn }: ClientUse): Promise<AuthorizationClientOptions> {
  const { options, parts, reporter } = context;
  const client = await preregisteredClient(context);
  const store = await parts.createStore(options.store);
  const vault = await parts.createVault(store, { keychain: options.keychain === true });
  return {
    resource,
    store,
    ...(vault !== undefined && { vault }),
    clock: parts.clock,
    clientMetadata: { client_name: APPLICATION_NAME, redirect_uris: options.redirectUri ?? [REDIRECT_URI] },
    logger: (record) => reporter.log(record),
    ...serverUrls(options),
    ...(signsIn && { userAgent: await userAgentOf(context) }),
    ...(client !== undefined && { preregistered: [client] }),
    ...(options.account !== undefined && { account: options.account }),
    ...(options.scope !== undefined && { scope: options.scope }),
    ...(options.clientMetadataUrl !== undefined && { clientMetadataUrl: options.clientMetadataUrl }),
    ...(options.timeout !== undefined && { limits: { userDeadlineMs: options.timeout * 1000 } }),
  };
}

async function userAgentOf({ options, io, parts, reporter }: CommandContext): Promise<UserAgent> {
  if (options.manual === true) {
    const { manual } = await import('../user-agents/manual.ts');
    // The two would write over each other.
    reporter.yieldTerminal();
    return manual({ input: io.stdin, output: io.stderr });
  }
  const { loopback } = await import('../user-agents/loopback.ts');
  return loopback({
    applicationName: APPLICATION_NAME,
    openUrl: options.open ? parts.openUrl : false,
    onOpenFailed: () => reporter.note('No browser could be started here: open the address by hand.'),
  });
}

async function preregisteredClient({ options, io }: CommandContext): Promise<PreregisteredClient | undefined> {
  const { clientId, clientSecretFile, issuer } = options;
  if (clientId === undefined) {
    if (clientSecretFile !== undefined) throw usageError('--client-secret-file needs --client-id.');
    if (issuer !== undefined) throw usageError('--issuer needs --client-id.');
    return undefined;
  }
  const secret = await readClientSecret(options, io.env);
  return { client_id: clientId, ...(issuer !== undefined && { issuer }), ...(secret !== undefined && { client_secret: secret }) };
}
