/** What a process behind the gateway finds in its environment: never the gateway's own secrets. */
import type { Caller } from '../../gateway/protect-options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The gateway's own, which no name given to `--backend-env` passes on. */
export const SECRET_VARIABLES: readonly string[] = [
  'OIDC_CLIENT_SECRET',
  'OIDC_CLIENT_SECRET_FILE',
  'AUTHCHART_CLIENT_SECRET',
  'AUTHCHART_GATEWAY_STORE',
];

/** What a program needs to run, on Unix and on Windows. */
const NEEDED_TO_RUN: readonly string[] =
  process.platform === 'win32'
    ? [
        ...['PATH', 'PATHEXT', 'SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'TEMP', 'PROCESSOR_ARCHITECTURE'],
        ...['USERNAME', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH', 'APPDATA', 'LOCALAPPDATA'],
        ...['PROGRAMDATA', 'PROGRAMFILES', 'PROGRAMFILES(X86)', 'PROGRAMW6432'],
      ]
    : ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM'];

/** That, what the operator named, and who calls. */
export function childEnvironment(
  environment: Environment,
  passedOn: readonly string[],
  caller: Caller | undefined,
): Record<string, string> {
  const named = passedOn.filter((name) => !SECRET_VARIABLES.includes(name)).map((name) => [name, environment[name]] as const);
  const identity = [
    ['AUTHCHART_ISSUER', caller?.claims['iss']],
    ['AUTHCHART_SUBJECT', caller?.subject],
    ['AUTHCHART_CLIENT_ID', caller?.clientId],
    ['AUTHCHART_SCOPES', caller?.scopes.join(' ')],
  ] as const;
  // Of this process, as the program is looked for in its PATH.
  const needed = NEEDED_TO_RUN.map((name) => [name, process.env[name]] as const);
  const all = [...needed, ...named, ...identity].filter((entry): entry is readonly [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(all);
}
