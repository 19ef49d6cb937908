/** Reads the settings from their three sources. A flag wins over a variable, a variable over the file. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { serverText } from '../../protocol/server-text.ts';
import { whyUnreadable } from '../why-unreadable.ts';
import { nameOf, placesOf, SETTINGS, type Setting, type SettingKind, type SettingName, words } from './setting-names.ts';
import { splitCommand } from './split-command.ts';

export type SettingValue = string | readonly string[] | true;

export interface GivenSetting {
  readonly value: SettingValue;
  /** What it is called where it came from, for the words of a problem. */
  readonly label: string;
}

export interface GivenSettings {
  text(setting: Setting): string | undefined;
  list(setting: Setting): readonly string[] | undefined;
  has(setting: Setting): boolean;
  /** What a problem calls it: `--resource`, `OAUTH_RESOURCE_URL`, or `resource` of the file. */
  label(setting: Setting): string;
}

export interface SettingSources {
  /** As commander hands them over, by their camel-cased name. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file of `--config`. */
  readonly configFile: string | undefined;
}

export function readSettings(sources: SettingSources): { readonly given: GivenSettings; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const file = sources.configFile === undefined ? {} : membersOf(sources.configFile, problems);
  const found = new Map<Setting, GivenSetting>();
  for (const setting of SETTINGS) {
    const one =
      fromFlag(setting, sources.flags) ?? fromVariable(setting, sources.environment) ?? fromFile(setting, file, sources, problems);
    // `--require-scope "$SCOPE"` with a variable that is not set: not what it says in the file, and not nothing either.
    if (Array.isArray(one?.value) && one.value.length === 0 && !one.label.endsWith('configuration file'))
      problems.push(`${one.label} names nothing.`);
    if (one !== undefined) found.set(setting, one);
  }
  // Two places for one secret: what came from the stronger source counts, and both from one is a question.
  const [secret, secretFile] = [found.get('clientSecret'), found.get('clientSecretFile')];
  if (secret !== undefined && secretFile !== undefined) {
    if (secretFile.label === '`OIDC_CLIENT_SECRET_FILE`') {
      problems.push('`OIDC_CLIENT_SECRET` and `OIDC_CLIENT_SECRET_FILE` are both set: which one counts?');
    }
    found.delete(secretFile.label.startsWith('`--') ? 'clientSecret' : 'clientSecretFile');
  }
  return { given: givenSettings(found), problems };
}

function givenSettings(found: ReadonlyMap<Setting, GivenSetting>): GivenSettings {
  return {
    text(setting) {
      const value = found.get(setting)?.value;
      return typeof value === 'string' ? value : undefined;
    },
    list(setting) {
      const value = found.get(setting)?.value;
      return Array.isArray(value) ? value : undefined;
    },
    has: (setting) => found.has(setting),
    label: (setting) => found.get(setting)?.label ?? placesOf(setting),
  };
}

const camel = (flag: string): string => flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function fromFlag(setting: Setting, flags: SettingSources['flags']): GivenSetting | undefined {
  const { flag } = nameOf(setting);
  const value = flag === undefined ? undefined : flags[camel(flag)];
  return value === undefined ? undefined : { value: value as SettingValue, label: `\`${flag}\`` };
}

/** A variable that is empty counts as not set. */
function fromVariable(setting: Setting, environment: SettingSources['environment']): GivenSetting | undefined {
  const { variable, kind } = nameOf(setting);
  const text = variable === undefined ? undefined : environment[variable]?.trim() || undefined;
  return text === undefined ? undefined : { value: kind === 'list' ? words(text) : text, label: `\`${variable}\`` };
}

function fromFile(
  setting: Setting,
  members: Readonly<Record<string, unknown>>,
  { configFile = '' }: SettingSources,
  problems: string[],
): GivenSetting | undefined {
  const { kind, member, names } = nameOf(setting);
  const given = member === false || !Object.hasOwn(members, setting) ? undefined : members[setting];
  if (given === undefined || given === false) return undefined;
  const label = `\`${setting}\` of the configuration file`;
  const value = READ[setting === 'backendCommand' ? 'command' : kind](given);
  if (value === undefined) {
    problems.push(`${label} must be ${WANTED[setting === 'backendCommand' ? 'command' : kind]}.`);
    return undefined;
  }
  return { value: names === undefined ? value : FOUND[names](dirname(configFile), value), label };
}

const isRelative = (path: string): boolean => /^\.{1,2}[/\\]/.test(path);

/** Where the configuration file means it. */
const FOUND: Readonly<Record<NonNullable<SettingName['names']>, (folder: string, value: SettingValue) => SettingValue>> = {
  file: (folder, value) => (typeof value === 'string' ? resolve(folder, value) : value),
  module: (folder, value) => (typeof value === 'string' && isRelative(value) ? resolve(folder, value) : value),
  program(folder, value) {
    const words = typeof value === 'string' ? splitCommand(value) : Array.isArray(value) ? value : undefined;
    const [program = '', ...args] = words ?? [];
    return isRelative(program) ? [resolve(folder, program), ...args] : value;
  },
};

const WANTED: Readonly<Record<SettingKind | 'command', string>> = {
  text: 'a text or a number',
  list: 'a list of texts',
  switch: 'true or false',
  command: 'a text, or a list of texts: the program and its arguments',
};

const isTexts = (given: unknown): given is readonly string[] => Array.isArray(given) && given.every((one) => typeof one === 'string');
const isText = (given: unknown): given is string => typeof given === 'string' && given !== '';

/** By kind; undefined for what is none of it. */
const READ: Readonly<Record<SettingKind | 'command', (given: unknown) => SettingValue | undefined>> = {
  switch: (given) => (given === true ? true : undefined),
  list: (given) => (isText(given) ? words(given) : isTexts(given) ? given : undefined),
  command: (given) => (isText(given) || (isTexts(given) && given.length > 0) ? given : undefined),
  text: (given) => (typeof given === 'number' ? String(given) : isText(given) ? given : undefined),
};

function membersOf(path: string, problems: string[]): Readonly<Record<string, unknown>> {
  const refuse = (problem: string): Readonly<Record<string, unknown>> => {
    problems.push(problem);
    return {};
  };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    return refuse(`The file of \`--config\` cannot be read${whyUnreadable(thrown, path)}.`);
  }
  let members: unknown;
  try {
    members = JSON.parse(text);
  } catch {
    // The parser's own words quote what it stumbled over.
    return refuse('The file of `--config` is no JSON.');
  }
  if (typeof members !== 'object' || members === null || Array.isArray(members)) return refuse('The file of `--config` holds no object.');
  for (const name of Object.keys(members)) {
    if (name === 'clientSecret') {
      problems.push('`clientSecret` does not belong into the configuration file: name a file of it, `clientSecretFile`.');
    } else if (!(SETTINGS as readonly string[]).includes(name) || nameOf(name as Setting).member === false) {
      problems.push(`\`${serverText(name, 60) ?? ''}\` of the configuration file is no setting.`);
    }
  }
  return members as Readonly<Record<string, unknown>>;
}
