/** What a process behind the gateway writes, as records of the log: bounded in length and number. */
import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { GatewayLog } from '../../gateway/gateway-log.ts';
import { serverText } from '../../protocol/server-text.ts';

const LONGEST_LINE_CHARACTERS = 500;
const LINES_PER_MINUTE = 200;
const MINUTE_MS = 60_000;

/** For all that a process can fill the log with: beyond so much in a minute, one record stands for the rest. */
export function lineLimit(pid: () => number | undefined, log: GatewayLog, clock: Clock): GatewayLog {
  let window = { untilEpochMs: 0, lines: 0 };
  return (level, event, details) => {
    if (clock.now() >= window.untilEpochMs) window = { untilEpochMs: clock.now() + MINUTE_MS, lines: 0 };
    window.lines += 1;
    if (window.lines <= LINES_PER_MINUTE) log(level, event, { pid: pid(), ...details });
    else if (window.lines === LINES_PER_MINUTE + 1) log('warn', 'backend.lines-dropped', { pid: pid(), linesPerMinute: LINES_PER_MINUTE });
  };
}

/** @returns the last line, once the process has closed its stderr: often the only word of why it ended */
export function logStderr(stderr: Readable, log: GatewayLog): Promise<string | undefined> {
  let last: string | undefined;
  let unfinished = '';

  const write = (line: string): void => {
    const text = serverText(line, LONGEST_LINE_CHARACTERS);
    if (text === undefined) return;
    last = text;
    log('info', 'backend.stderr', { text });
  };

  stderr.on('data', (chunk: Buffer) => {
    const lines = `${unfinished}${chunk.toString('utf8')}`.split('\n');
    // A line without an end must not grow for ever.
    unfinished = (lines.pop() ?? '').slice(-LONGEST_LINE_CHARACTERS * 2);
    for (const line of lines) write(line);
  });
  return new Promise((resolve) => {
    // Not `end`: a stream that is destroyed has none.
    stderr.on('close', () => {
      write(unfinished);
      resolve(last);
    });
  });
}
