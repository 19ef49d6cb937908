/** How the process of a stdio session ended, which the SDK's transport keeps to itself. */
import { ChildProcess } from 'node:child_process';
import type { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

export interface ProcessEnd {
  readonly exitCode?: number;
  /** Such as `SIGKILL`, in place of a code. */
  readonly signal?: string;
}

/** Called once it runs. @returns what is known of its end: nothing before it, and nothing where the SDK keeps the process elsewhere */
export function watchEnd(transport: StdioClientTransport): () => ProcessEnd {
  const running: unknown = Reflect.get(transport, '_process');
  return () => {
    if (!(running instanceof ChildProcess)) return {};
    const { exitCode, signalCode } = running;
    return { ...(exitCode !== null && { exitCode }), ...(signalCode !== null && { signal: signalCode }) };
  };
}
