/** Where a server lets nobody register by itself, the person at the terminal is asked for a client identifier (REG-01). */
import { AuthorizationError } from '../errors.ts';
import { readLines } from '../user-agents/read-lines.ts';
import { readClientSecret } from './common-options.ts';
import type { CommandContext } from './context.ts';
import { usageError } from './ended.ts';
import type { CommandLineClient } from './parts.ts';
import { shown } from './report/words.ts';

/** Runs what may sign in; if it ends for want of a client identifier, asks for one and runs it again. */
export async function askingForClient<Result>(
  context: CommandContext,
  client: CommandLineClient,
  signIn: () => Promise<Result>,
): Promise<Result> {
  try {
    return await signIn();
  } catch (thrown) {
    if (!(thrown instanceof AuthorizationError) || thrown.code !== 'client_identifier_required') throw thrown;
    if (!canAsk(context)) {
      // Not left waiting in the store: the next run may bring a --client-id.
      client.cancel();
      throw thrown;
    }
    await client.provideClient(await ask(context, thrown.failure.details.issuer));
    return await signIn();
  }
}

function canAsk({ io, options }: CommandContext): boolean {
  return options.json !== true && io.stdin.isTTY === true && io.stderr.isTTY === true;
}

async function ask({ io, options, reporter, signal }: CommandContext, issuer: string | undefined) {
  const giveBack = reporter.yieldTerminal();
  try {
    io.stderr.write(`\n${shown(issuer) ?? 'The authorization server'} offers no way to register by itself.\n`);
    io.stderr.write('Register a client there by hand, then enter its client identifier: ');
    for await (const line of readLines(io.stdin, signal)) {
      const clientId = line.trim();
      if (clientId === '') continue;
      const secret = await readClientSecret(options, io.env);
      return { client_id: clientId, ...(secret !== undefined && { client_secret: secret }) };
    }
    signal.throwIfAborted();
    throw usageError('No client identifier was entered. Give it with --client-id.');
  } finally {
    giveBack();
  }
}
