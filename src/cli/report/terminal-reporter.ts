/**
 * For people: what is done stands in lines that stay, what is under way in one
 * line that moves where the terminal can do that. Progress on stderr, the result
 * on stdout.
 */
import type { Clock } from '../../clock.ts';
import type { LogRecord } from '../../options.ts';
import type { AuthorizationStatus, Progress } from '../../status.ts';
import type { CommandLineIo } from '../io.ts';
import { failureLines, mistakeLines } from './failure-lines.ts';
import { type LiveLine, liveLine } from './live-line.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { isLive, styleOf } from './style.ts';
import { countdown, isDone, shown, shownUrl, stepWords } from './words.ts';

/** Details of finished steps stand in one column. */
const STEP_COLUMN = 32;

export function terminalReporter(io: CommandLineIo, clock: Clock): Reporter {
  const style = styleOf(io.stderr, io.env);
  const live: LiveLine | undefined = isLive(io.stderr, io.env) ? liveLine(io.stderr, style) : undefined;
  let { verbose, opensBrowser }: ReporterOptions = { verbose: false, opensBrowser: true };
  let yielded = false;
  let under: AuthorizationStatus | undefined;

  const say = (text: string): void => {
    if (live === undefined) io.stderr.write(`${text}\n`);
    else live.persist(text);
  };

  const finish = (status: AuthorizationStatus): void => {
    const words = under === undefined ? undefined : stepWords(under.step);
    if (words?.done === undefined) return;
    const outcome = words.outcome?.(status, clock.now());
    const label = outcome === undefined ? words.done : words.done.padEnd(STEP_COLUMN);
    say(`${style.green(style.symbols.done)} ${label}${outcome === undefined ? '' : style.dim(outcome)}`);
  };

  const begin = (status: AuthorizationStatus): void => {
    if (yielded || !('authorizationUrl' in status)) return;
    const url = shownUrl(status.authorizationUrl) ?? '';
    // Not wrapped by us: a line that the terminal wraps is still copied whole.
    const here = opensBrowser ? 'Approve in your browser. If it has not opened, go to:' : 'Open this address in a browser to approve:';
    const where = status.step === 'awaiting-other' ? 'Another process has asked you to approve, at:' : here;
    say(`\n${style.bold(where)}\n\n${style.cyan(url)}\n`);
  };

  const draw = (status: AuthorizationStatus, progress: Progress): void => {
    const words = stepWords(status.step);
    if (words === undefined || yielded) {
      live?.clear();
      return;
    }
    if (live === undefined) {
      if (under?.step !== status.step) io.stderr.write(`  ${words.doing} …\n`);
      return;
    }
    const deadline = 'deadlineEpochSeconds' in status ? status.deadlineEpochSeconds : undefined;
    const left = deadline === undefined ? () => '' : () => `${countdown(deadline - clock.now() / 1000)} left`;
    live.show(words.doing, left, progress);
  };

  return {
    configure(options) {
      ({ verbose, opensBrowser } = options);
    },
    status(status, progress) {
      if (under !== undefined && isDone(under.step, status)) finish(status);
      if (addressOf(status) !== addressOf(under)) begin(status);
      if (status.warning !== undefined && status.warning.code !== under?.warning?.code) {
        say(`${style.yellow(style.symbols.warning)} ${status.warning.message} ${style.dim(status.warning.advice)}`);
      }
      draw(status, progress);
      under = status;
    },
    note: (text) => say(`${style.yellow(style.symbols.warning)} ${text}`),
    yieldTerminal() {
      yielded = true;
      live?.clear();
      return () => {
        yielded = false;
      };
    },
    log(record) {
      if (verbose) say(style.dim(logLine(record)));
    },
    announce(_event, _fields, text) {
      live?.stop();
      io.stderr.write(text(style));
    },
    result(_command, _fields, text) {
      live?.stop();
      io.stdout.write(text(styleOf(io.stdout, io.env)));
    },
    failure(failure) {
      live?.stop();
      io.stderr.write(failureLines(failure, style));
    },
    usage(mistake) {
      live?.stop();
      io.stderr.write(mistakeLines(mistake, style));
    },
    ended(ended) {
      live?.stop();
      // The terminal has put `^C` at the beginning of the line.
      if (ended.code === 'interrupted' && io.stderr.isTTY === true) io.stderr.write('\n');
      io.stderr.write(mistakeLines(ended, style));
    },
    stop: () => live?.stop(),
  };
}

function logLine({ level, event, atEpochMs, ...details }: LogRecord): string {
  const time = new Date(atEpochMs).toISOString().slice(11, 23);
  const facts = Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? shown(value) : JSON.stringify(value)}`);
  return `  ${time} ${level.padEnd(5)} ${[event, ...facts].join(' ')}`;
}

/** Told once, also where the process that shows the page changes. */
const addressOf = (status: AuthorizationStatus | undefined): string | undefined =>
  status !== undefined && 'authorizationUrl' in status ? status.authorizationUrl : undefined;
