/** What the parser of the arguments refuses, in words for whoever wrote them. */
import type { Command, CommanderError } from 'commander';
import type { UsageMistake } from './report/reporter.ts';

export function usageMistake(thrown: CommanderError, root: Command, argv: readonly string[]): UsageMistake {
  const parsed = thrown.message.replace(/^error: /, '');
  // Of `--client-secret=…` the parser quotes the secret as well.
  const message = parsed.replace(/^(unknown option '[^'=]*)=[\s\S]*'/, "$1'").replaceAll('\n', ' ');
  const { command, path } = commandOf(root, argv);
  const takesFile = command.options.some(({ long }) => long === '--client-secret-file');
  const secretAdvice =
    takesFile && message.startsWith("unknown option '--client-secret'")
      ? 'Put the secret into a file, and name that with --client-secret-file: arguments are seen by every user of this machine. '
      : '';
  return {
    code: 'usage',
    message: thrown.code === 'commander.help' ? 'A command is needed.' : message,
    advice: `${secretAdvice}See ${path} --help.`,
  };
}

/** The innermost command that the arguments begin with: its help has the option that was meant. */
function commandOf(root: Command, argv: readonly string[]): { readonly command: Command; readonly path: string } {
  let [command, path] = [root, root.name()];
  for (const word of argv) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    [command, path] = [next, `${path} ${word}`];
  }
  return { command, path };
}
