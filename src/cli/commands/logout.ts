import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { isSignedIn, isSigningIn } from '../login-facts.ts';
import { shown } from '../report/words.ts';

export interface LogoutOptions {
  readonly forgetRegistration?: boolean;
}

export async function logout(context: CommandContext, resource: string, options: LogoutOptions): Promise<ExitCode> {
  const { reporter } = context;
  return withClient(context, { resource: parseResource(resource), signsIn: false }, async (client) => {
    // A login that cannot be read is what the user wants to be rid of; a store that fails will fail below, too.
    const step = await client.restore().then(
      (stored) => stored.step,
      () => 'authorized' as const,
    );
    const wasSignedIn = isSignedIn(step);
    // All the same: a sign-in that waits, or a registration, may be there to forget.
    const status = await client.signOut({ forgetRegistration: options.forgetRegistration === true });
    reporter.result('logout', { ...status, wasSignedIn }, (style) => {
      const otherwise = isSigningIn(step) ? 'Ended the sign-in that was under way to' : 'Nobody was signed in to';
      const said = wasSignedIn ? 'Signed out of' : otherwise;
      return `${style.green(style.symbols.done)} ${said} ${shown(status.resource)} (account ${shown(status.account)})\n`;
    });
    return EXIT_CODES.ok;
  });
}
