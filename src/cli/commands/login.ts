import { askingForClient } from '../ask-for-client.ts';
import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { loginFacts } from '../login-facts.ts';

/** Signs in, unless a login that is good enough is stored already. */
export async function login(context: CommandContext, resource: string): Promise<ExitCode> {
  const { options, parts, reporter, signal } = context;
  return withClient(context, { resource: parseResource(resource), signsIn: true }, async (client) => {
    const status = await askingForClient(context, client, () =>
      client.authorize({ signal, ...(options.scope !== undefined && { scopes: options.scope }) }),
    );
    reporter.result(
      'login',
      { ...status },
      (style) => `\n${style.green(style.symbols.done)} ${style.bold('Signed in')}\n\n${loginFacts(status, parts.clock.now(), style)}`,
    );
    return EXIT_CODES.ok;
  });
}
