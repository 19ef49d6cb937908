import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { Ended } from '../ended.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { isSignedIn, isSigningIn } from '../login-facts.ts';
import type { AccessTokenFacts, CommandLineClient } from '../parts.ts';

/** Prints the access token: the one command that shows a secret, because it is asked to (SEC-01). */
export async function token(context: CommandContext, resource: string): Promise<ExitCode> {
  const { reporter } = context;
  return withClient(context, { resource: parseResource(resource), signsIn: false }, async (client) => {
    const { step } = await client.restore();
    // A sign-in that is under way is another process's business.
    const current = isSignedIn(step) ? await tokenWithoutUser(client) : undefined;
    if (current === undefined) {
      const [message, advice] = isSigningIn(step)
        ? [
            'A sign-in to this resource waits to be finished: there is no token yet.',
            'Approve it in your browser, or go on with authchart login.',
          ]
        : ['Nobody is signed in to this resource.', 'Sign in with authchart login.'];
      throw new Ended(EXIT_CODES.signInNeeded, 'sign_in_needed', message, advice);
    }
    reporter.result('token', { ...current }, () => `${current.accessToken}\n`);
    return EXIT_CODES.ok;
  });
}

/** A person is asked, here or by another process. */
const NEEDS_USER: ReadonlySet<string> = new Set(['awaiting-user', 'awaiting-client', 'awaiting-other']);

/** The token, refreshed if need be; `undefined` where only a person could get a new one. */
async function tokenWithoutUser(client: CommandLineClient): Promise<AccessTokenFacts | undefined> {
  let needsUser = false;
  const unsubscribe = client.subscribe(({ step }) => {
    if (needsUser || !NEEDS_USER.has(step)) return;
    needsUser = true;
    client.cancel();
  });
  try {
    return await client.accessToken();
  } catch (thrown) {
    if (needsUser) return undefined;
    throw thrown;
  } finally {
    unsubscribe();
  }
}
