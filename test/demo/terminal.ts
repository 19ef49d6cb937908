/** What the demo draws on the terminal: acts, steps with check marks, requests on the wire. */
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';

export interface Terminal {
  /** A new part of the story. */
  act(title: string, explanation: string): void;
  /** One request of the client (or of the user's browser), when its answer is there. */
  request(line: {
    readonly by: 'client' | 'browser';
    readonly method: string;
    readonly url: URL;
    readonly status: number;
    readonly durationMs: number;
  }): void;
  /** A step of the flow that has ended. */
  step(line: { readonly title: string; readonly detail?: string; readonly durationMs: number; readonly progress: string }): void;
  /** Something a person should read. */
  note(text: string): void;
  /** What a tool answered. */
  answer(tool: string, text: string): void;
  /** A line that changes until `durationMs` are over. */
  countdown(text: string, durationMs: number): Promise<void>;
}

const METHOD_WIDTH = 'DELETE'.length;
const TICK_MS = 200;

/** Names for origins, so that a reader sees who is asked and not which port. */
export function createTerminal(output: NodeJS.WriteStream, nameOf: (url: URL) => string): Terminal {
  const print = (text = ''): void => void output.write(`${text}\n`);
  let acts = 0;
  return {
    act(title, explanation) {
      acts += 1;
      print();
      print(pc.bold(`${pc.cyan(`${acts}`)}  ${title}`));
      print(pc.dim(`   ${explanation}`));
    },
    request({ by, method, url, status, durationMs }) {
      const who = by === 'browser' ? pc.magenta('browser ') : pc.blue('client  ');
      const answer = colouredStatus(status);
      const where = `${nameOf(url)} ${shortPath(url.pathname)}`;
      print(`   ${pc.dim('│')} ${who}${method.padEnd(METHOD_WIDTH)} ${where} ${answer} ${pc.dim(milliseconds(durationMs))}`);
    },
    step({ title, detail, durationMs, progress }) {
      const more = detail === undefined ? '' : ` ${pc.dim(detail)}`;
      print(`   ${pc.green('✓')} ${title}${more} ${pc.dim(`${milliseconds(durationMs)}  ${progress}`.trimEnd())}`);
    },
    note: (text) => print(`   ${pc.yellow('●')} ${text}`),
    answer: (tool, text) => print(`   ${pc.green('✓')} ${pc.bold(tool)} answered: ${pc.bold(pc.green(text))}`),
    async countdown(text, durationMs) {
      const line = (leftMs: number): string => `   ${pc.yellow('●')} ${text} ${pc.dim(`${Math.ceil(leftMs / 1000)} s`)}`;
      if (!output.isTTY) {
        print(line(durationMs));
        await pause(durationMs);
        return;
      }
      const update = createLogUpdate(output);
      for (let left = durationMs; left > 0; left -= TICK_MS) {
        update(line(left));
        await pause(Math.min(TICK_MS, left));
      }
      update(line(0));
      update.done();
    },
  };
}

/** Identifiers in paths tell a reader nothing. */
function shortPath(pathname: string): string {
  return pathname.replace(/[^/]{40,}/g, '…');
}

function colouredStatus(status: number): string {
  if (status < 300) return pc.green(String(status));
  return status < 400 ? pc.cyan(String(status)) : pc.yellow(String(status));
}

function milliseconds(durationMs: number): string {
  return `${durationMs.toFixed(0)} ms`;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
