/** Loads the validator that `TOKEN_VALIDATOR_FACTORY=module:export` names (GWY-09, GWY-14). */
import { kindOf } from '../failure.ts';
import { throwProblems } from '../misconfigured.ts';
import type { TokenValidator } from './token-validator.ts';

/** Makes a validator. What it needs it takes from the environment. */
export type TokenValidatorFactory = () => TokenValidator | Promise<TokenValidator>;

interface NodeLike {
  readonly cwd?: () => string;
  readonly getBuiltinModule?: (name: string) => unknown;
}

interface ModuleModule {
  readonly createRequire: (from: string) => { readonly resolve: (name: string) => string };
}

const NAME = '`TOKEN_VALIDATOR_FACTORY`';

/**
 * @param named `module:export`: a file (`./validator.mjs:create`, relative to the working
 *   directory) or a package (`@example/validator:create`), and what it exports: a function
 *   that makes a validator, or a validator
 * @throws AuthorizationError `invalid_configuration` that says what is missing. Texts of
 *   errors that the module throws are left out, since they may hold its secrets
 */
export async function validatorFromFactory(named: string): Promise<TokenValidator> {
  const [specifier, exportName] = parsed(named);
  const loaded = await load(specifier, named);
  const exported = Object.hasOwn(loaded, exportName) ? loaded[exportName] : undefined;
  if (exported === undefined) {
    const names = Object.keys(loaded).sort().join(', ');
    return refuse(`${NAME}: "${specifier}" does not export "${exportName}"; it exports ${names === '' ? 'nothing' : names}.`);
  }
  if (isValidator(exported)) return exported;
  if (typeof exported !== 'function') return refuse(`${NAME}: "${exportName}" of "${specifier}" is neither a function nor a validator.`);
  let made: unknown;
  try {
    made = await (exported as () => unknown)();
  } catch (thrown) {
    return refuse(
      `${NAME}: "${exportName}" of "${specifier}" threw (${kindOf(thrown)}). It is called without arguments and without \`new\`.`,
    );
  }
  if (!isValidator(made)) return refuse(`${NAME}: what "${exportName}" of "${specifier}" returned has no function \`validate\`.`);
  return made;
}

/** The last colon parts: `node:`, `file:` and drive letters have one, too. */
function parsed(named: string): readonly [specifier: string, exportName: string] {
  const [, specifier, exportName] = /^(.+):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/su.exec(named) ?? [];
  if (specifier === undefined || exportName === undefined || /^(node|file|https?|data)$/.test(specifier)) {
    return refuse(`${NAME} must be \`module:export\`, for example \`./validator.mjs:createValidator\`.`);
  }
  if (/^(https?|data|blob):/i.test(specifier)) return refuse(`${NAME} must name a file or an installed package, not a URL.`);
  return [specifier, exportName];
}

async function load(specifier: string, named: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(located(specifier))) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    const code = (thrown as { readonly code?: unknown } | null)?.code;
    const reason = code === 'ERR_MODULE_NOT_FOUND' ? 'it, or a module it imports, was not found' : `it threw (${kindOf(thrown)})`;
    return refuse(`${NAME}: the module of "${named}" could not be loaded: ${reason}.`);
  }
}

/** As seen from the working directory and not from authchart, which may be installed elsewhere. */
function located(specifier: string): string {
  const { cwd, getBuiltinModule } = ((globalThis as { readonly process?: NodeLike }).process ?? {}) as NodeLike;
  if (/^(node|file):/.test(specifier) || cwd === undefined) return specifier;
  const here = fileUrl(`${cwd()}/`);
  if (/^\.{1,2}[/\\]/.test(specifier)) return new URL(specifier.replaceAll('\\', '/'), here).href;
  if (/^(\/|[A-Za-z]:[/\\])/.test(specifier)) return fileUrl(specifier);
  try {
    const module = getBuiltinModule?.('node:module') as ModuleModule | undefined;
    return module === undefined ? specifier : fileUrl(module.createRequire(here).resolve(specifier));
  } catch {
    // Packages for `import` alone are found from here, or not at all.
    return specifier;
  }
}

/** Encodes what URLs give a meaning of their own. */
function fileUrl(path: string): string {
  const encoded = path.replaceAll('\\', '/').replaceAll('%', '%25').replaceAll('?', '%3F').replaceAll('#', '%23');
  return new URL(`file://${encoded.startsWith('/') ? '' : '/'}${encoded}`).href;
}

function isValidator(value: unknown): value is TokenValidator {
  return typeof value === 'object' && value !== null && typeof (value as { readonly validate?: unknown }).validate === 'function';
}

function refuse(problem: string): never {
  throwProblems([problem]);
  throw new TypeError(problem);
}
