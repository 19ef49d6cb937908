import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { shown } from '../report/words.ts';

export interface LogoutOptions {
  readonly forgetRegistration?: boolean;
}

export async function logout(context: CommandContext, resource: string, options: LogoutOptions): Promise<ExitCode> {
  const { reporter } = context;
  return withClient(context, { resource: parseResource(resource), signsIn: false }, async (client) => {
    await client.restore();
    const status = await client.signOut({ forgetRegistration: options.forgetRegistration === true });
    reporter.result(
      'logout',
      { ...status },
      (style) => `${style.green(style.symbols.done)} Signed out of ${shown(status.resource)} (account ${shown(status.account)})\n`,
    );
    return EXIT_CODES.ok;
  });
}
