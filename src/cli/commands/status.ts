import type { AuthorizationStatus } from '../../status.ts';
import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { isSignedIn, isSigningIn, loginFacts } from '../login-facts.ts';
import type { Style } from '../report/style.ts';

/** Shows what the store holds; asks a server only for a token in place of one that is about to expire. */
export async function status(context: CommandContext, resource: string): Promise<ExitCode> {
  const { parts, reporter } = context;
  return withClient(context, { resource: parseResource(resource), signsIn: false }, async (client) => {
    const stored = await client.restore();
    reporter.result('status', { ...stored }, (style) => `${headline(stored, style)}\n\n${loginFacts(stored, parts.clock.now(), style)}`);
    return isSignedIn(stored.step) ? EXIT_CODES.ok : EXIT_CODES.signInNeeded;
  });
}

function headline({ step }: AuthorizationStatus, style: Style): string {
  if (isSignedIn(step)) return `${style.green(style.symbols.done)} ${style.bold('Signed in')}`;
  if (isSigningIn(step)) return `${style.yellow(style.symbols.warning)} ${style.bold('A sign-in waits to be finished')}`;
  return `${style.dim(style.symbols.information)} ${style.bold('Not signed in')}`;
}
