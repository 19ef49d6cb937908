/** A process that speaks JSON-RPC over stdin and stdout, a message a line (MCP, "stdio"). */
import type { Readable } from 'node:stream';
import { type JSONRPCMessage, ReadBuffer, serializeMessage } from '@modelcontextprotocol/server';
import { startGroup } from './process-group.ts';

export interface StdioProcessOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** A message that is larger ends the process. */
  readonly largestMessageBytes: number;
  readonly onMessage: (message: JSONRPCMessage) => void;
  /** What it wrote is no message, or was too large. */
  readonly onError: (thrown: unknown) => void;
  /** Once: it has ended, and all that it wrote was read. */
  readonly onEnd: (end: ProcessEnd) => void;
}

export interface ProcessEnd {
  readonly exitCode?: number;
  /** Such as `SIGKILL`, in place of a code. */
  readonly signal?: string;
}

export interface StdioProcess {
  readonly pid: number | undefined;
  readonly stderr: Readable | null;
  /** Of messages that it has not taken yet. */
  readonly unreadBytes: number;
  /** Resolves when it runs. @throws what the system says */
  readonly started: Promise<void>;
  /** Resolves when the process has taken it, or little is before it. */
  send(message: JSONRPCMessage): Promise<void>;
  /** Resolves when it is gone, and what it has started with it. */
  end(): Promise<void>;
}

export function stdioProcess(options: StdioProcessOptions): StdioProcess {
  const { onMessage, onError, onEnd } = options;
  const group = startGroup(options.command, options.env);
  const { process: child } = group;
  const received = new ReadBuffer({ maxBufferSize: options.largestMessageBytes });

  /** @returns false where there is no whole line any more */
  const next = (): boolean => {
    try {
      const message = received.readMessage();
      if (message === null) return false;
      onMessage(message);
    } catch (thrown) {
      onError(thrown);
    }
    return true;
  };

  child.stdout?.on('data', (chunk: Buffer) => {
    try {
      received.append(chunk);
    } catch (thrown) {
      onError(thrown);
      void group.end();
    }
    while (next());
  });
  // Whoever sends is told.
  child.stdin?.on('error', () => {});
  child.once('close', (exitCode, signal) => onEnd({ ...(exitCode !== null && { exitCode }), ...(signal !== null && { signal }) }));

  return {
    stderr: child.stderr,
    started: new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    }),
    get pid() {
      return child.pid;
    },
    get unreadBytes() {
      return child.stdin?.writableLength ?? 0;
    },
    send: (message) =>
      new Promise((resolve, reject) => {
        const isTaken = child.stdin?.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
        if (isTaken === true) resolve();
      }),
    end: () => group.end(),
  };
}
