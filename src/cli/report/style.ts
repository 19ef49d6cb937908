/** Colours and symbols a stream can show. */
import pc from 'picocolors';
import type { TerminalWritable } from '../io.ts';

type Environment = Readonly<Record<string, string | undefined>>;

type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly warning: string;
  readonly information: string;
  /** Begins a line that belongs to the one above. */
  readonly under: string;
  readonly rule: string;
  readonly bar: { readonly full: string; readonly empty: string };
  readonly spinner: readonly string[];
}

export interface Style extends Readonly<Record<Colour, (text: string) => string>> {
  readonly symbols: Symbols;
  /** Columns to fill; `undefined` where lines may be as long as they are (a file, a pipe). */
  readonly columns: number | undefined;
}

/** See https://no-color.org and the FORCE_COLOR convention of Node. */
export function isColoured(stream: TerminalWritable, env: Environment): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Can lines be drawn again? */
export function isLive(stream: TerminalWritable, env: Environment): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb' && (env['CI'] === undefined || env['CI'] === '');
}

export function styleOf(stream: TerminalWritable, env: Environment): Style {
  const { bold, dim, red, green, yellow, cyan } = pc.createColors(isColoured(stream, env));
  return {
    bold,
    dim,
    red,
    green,
    yellow,
    cyan,
    symbols: hasUnicode(env) ? UNICODE : ASCII,
    columns: stream.isTTY === true ? (stream.columns ?? 80) : undefined,
  };
}

const UNICODE: Symbols = {
  done: '✓',
  failed: '✗',
  warning: '▲',
  information: '•',
  under: '└',
  rule: '─',
  bar: { full: '━', empty: '━' },
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

const ASCII: Symbols = {
  done: 'v',
  failed: 'x',
  warning: '!',
  information: '-',
  under: '-',
  rule: '-',
  bar: { full: '#', empty: '.' },
  spinner: ['-', '\\', '|', '/'],
};

/** The Linux console and the old Windows console have few characters. */
function hasUnicode(env: Environment): boolean {
  if (process.platform !== 'win32') return env['TERM'] !== 'linux';
  return env['WT_SESSION'] !== undefined || env['TERM_PROGRAM'] !== undefined || env['TERM'] === 'xterm-256color';
}
