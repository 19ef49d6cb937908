/**
 * A real Secret Service for tests: GNOME Keyring on a bus of its own, with a keychain of its own in a temporary
 * directory. Nothing of the desktop that the tests may run on is seen or changed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, type TestContext } from 'vitest';
import { notThere } from './not-there.ts';

export interface SecretService {
  /** What a process has to have in its environment to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts anew, locked: reading asks the user for a password, and here is nobody to ask. */
  lock(): Promise<void>;
  /** Starts anew, unlocked. */
  unlock(): Promise<void>;
}

const PASSWORD = 'password of the test keychain';
const PROGRAMS = ['dbus-daemon', 'dbus-send', 'gnome-keyring-daemon'];
const STARTS_WITHIN_MS = 10_000;

/** One for the test file, started when it is first asked for; ends the test where it cannot be had. */
export function secretService(): (context: TestContext) => Promise<SecretService> {
  const stops: (() => Promise<unknown>)[] = [];
  let started: Promise<SecretService> | undefined;
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });
  return async (context) => {
    const missing = PROGRAMS.filter((program) => !isOnPath(program));
    if (missing.length > 0) notThere(context, `Secret Service: install ${missing.join(' and ')} (Debian: gnome-keyring, dbus).`);
    started ??= start(stops);
    return started;
  };
}

function isOnPath(program: string): boolean {
  const { PATH = '' } = process.env;
  return PATH.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

async function start(stops: (() => Promise<unknown>)[]): Promise<SecretService> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-keychain-'));
  stops.push(() => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  const places = { HOME: directory, XDG_RUNTIME_DIR: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };

  const configuration = join(directory, 'bus.conf');
  await writeFile(configuration, busConfiguration(directory));
  const bus = spawn('dbus-daemon', [`--config-file=${configuration}`, '--nofork', '--print-address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  stops.push(() => ended(bus));
  process.once('exit', () => bus.kill());
  const [address] = (await once(createInterface(bus.stdout), 'line')) as [string];
  const env = { ...places, DBUS_SESSION_BUS_ADDRESS: address };

  let daemon: ChildProcess | undefined;
  const restart = async (isUnlocked: boolean): Promise<void> => {
    if (daemon !== undefined) await ended(daemon);
    const next = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', ...(isUnlocked ? ['--unlock'] : ['--start'])], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, ...env },
    });
    daemon = next;
    process.once('exit', () => next.kill());
    next.stdin.end(isUnlocked ? PASSWORD : '');
    await untilItAnswers(env);
  };
  stops.push(async () => daemon && ended(daemon));
  await restart(true);
  return { env, lock: () => restart(false), unlock: () => restart(true) };
}

/** Without services to start by itself: the keyring that is started here is the only one, and nothing asks for a password. */
function busConfiguration(directory: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
    "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
  <busconfig>
    <type>session</type>
    <listen>unix:dir=${directory}</listen>
    <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
  </busconfig>`;
}

async function untilItAnswers(env: Readonly<Record<string, string>>): Promise<void> {
  const question = ['--dest=org.freedesktop.secrets', '/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.ReadAlias'];
  const asking = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
  for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; await sleep(20)) {
    const { stdout } = spawnSync('dbus-send', ['--session', '--print-reply', ...question, 'string:default'], asking);
    if (stdout.includes('/org/freedesktop/secrets/collection/')) return;
  }
  throw new Error('The Secret Service of the tests did not start.');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
