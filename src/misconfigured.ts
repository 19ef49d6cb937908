/** Mistakes in what somebody made authchart's parts from, all told at once. */
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';

/** Options by their names, as somebody without a type checker may give them. */
export type Given = { readonly [name: string]: unknown };

export const when = (isWrong: boolean, problem: string): readonly string[] => (isWrong ? [problem] : []);

/** A name that is no option would have no effect, and nobody would know. */
export function unknownOptions(given: object, known: Readonly<Record<string, true>>): readonly string[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `\`${name}\` is no option.`);
}

/** Those that may be left out. */
export function notFunctions(given: Given, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => when(given[name] !== undefined && typeof given[name] !== 'function', `\`${name}\` is not a function.`));
}

/** A part that may be left out: a class in place of its instance, or a promise in place of what it resolves to, lacks what it does. */
export function lacking(option: string, part: unknown, operations: readonly string[]): readonly string[] {
  if (part === undefined) return [];
  const missing = operations.filter((name) => typeof (part as Given | null)?.[name] !== 'function');
  return when(missing.length > 0, `\`${option}\` lacks ${missing.map((name) => `\`${name}\``).join(', ')}.`);
}

/** What stands in the place of the platform's own. */
export function problemsOfPlatform(given: Given): readonly string[] {
  return [...notFunctions(given, ['fetch', 'logger']), ...lacking('clock', given['clock'], ['now', 'sleep'])];
}

/** @throws AuthorizationError `invalid_configuration` if there are any */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw misconfigured(problems);
}

export function misconfigured(problems: readonly string[]): AuthorizationError {
  return new AuthorizationError(failure('invalid_configuration', 'configuration', { problems, reason: problems.join(' ') }));
}
