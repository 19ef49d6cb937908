import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { Ended } from '../ended.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';

/** Prints the access token: the one command that shows a secret, because it is asked to (SEC-01). */
export async function token(context: CommandContext, resource: string): Promise<ExitCode> {
  const { reporter } = context;
  return withClient(context, { resource: parseResource(resource), signsIn: false }, async (client) => {
    await client.restore();
    const current = await client.accessToken();
    if (current === undefined) {
      throw new Ended(EXIT_CODES.signInNeeded, 'sign_in_needed', 'Nobody is signed in to this resource.', 'Sign in with authchart login.');
    }
    reporter.result('token', { ...current }, () => `${current.accessToken}\n`);
    return EXIT_CODES.ok;
  });
}
