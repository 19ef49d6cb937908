/** Is there anything behind? A connection is enough: an MCP server may answer whatever it likes to what is no MCP. */
import { accessSync, constants, statSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../clock.ts';

const PATIENCE_MS = 5_000;

/**
 * @returns what happened, such as `ECONNREFUSED`; undefined where there is a connection
 * @throws the reason of `signal`, which ends the look
 */
export async function whyUnreachable(backend: string, clock: Clock, signal: AbortSignal): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(backend);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  const target = { host, port: port === '' ? (isTls ? 443 : 80) : Number(port) };
  // An address is no server name (RFC 6066 section 3).
  const isAddress = /^[\d.]+$|:/.test(host);
  const socket = isTls ? connectTls({ ...target, ...(!isAddress && { servername: host }) }) : connect(target);
  const enough = new AbortController();
  try {
    return await Promise.race([
      new Promise<string | undefined>((done) => {
        socket.once(isTls ? 'secureConnect' : 'connect', () => done(undefined));
        // Kept after the first: an error that nobody hears ends the process.
        socket.on('error', (error) => done(codeOf(error)));
      }),
      clock.sleep(PATIENCE_MS, AbortSignal.any([signal, enough.signal]), { background: true }).then(
        () => `no connection in ${PATIENCE_MS / 1000} seconds`,
        // Where it is over because there is enough, nobody asks any more.
        () => signal.throwIfAborted() as undefined,
      ),
    ]);
  } finally {
    enough.abort();
    socket.destroy();
  }
}

/** The texts of the system quote what they were about; several addresses fail with one code each. */
function codeOf(thrown: unknown): string {
  const { code } = thrown as { readonly code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z\d_]{1,60}$/.test(code) ? code : 'the connection failed';
}

/** As the process will be started: by its path, or found in the PATH that it is given, without a shell. */
export function isRunnable(program: string): boolean {
  const isWindows = process.platform === 'win32';
  const isPath = program.includes('/') || (isWindows && program.includes('\\'));
  const directories = isPath ? ['.'] : (process.env['PATH'] ?? '/usr/bin:/bin').split(delimiter);
  const endings = isWindows ? ['', ...(process.env['PATHEXT'] ?? '.EXE;.CMD;.BAT;.COM').split(';')] : [''];
  return directories.some((directory) => endings.some((ending) => isExecutable(resolve(directory, `${program}${ending}`))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
