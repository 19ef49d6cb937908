/** The line that moves: a spinner, what is under way, how far it is. */
import { createLogUpdate } from 'log-update';
import type { Progress } from '../../status.ts';
import type { TerminalWritable } from '../io.ts';
import type { Style } from './style.ts';

const FRAME_MS = 80;
const BAR_COLUMNS = 16;

export interface LiveLine {
  show(doing: string, left: () => string, progress: Progress): void;
  /** Writes text that stays, above the line. */
  persist(text: string): void;
  /** Takes the line away for now. */
  clear(): void;
  /** Takes it away for good and gives the cursor back. */
  stop(): void;
}

export function liveLine(stream: TerminalWritable, style: Style): LiveLine {
  // The library can restore the cursor of the process's own stderr only.
  const update = createLogUpdate(stream as NodeJS.WriteStream, { showCursor: stream !== process.stderr });
  let drawing: (() => string) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const frames = style.symbols.spinner;
  let frame = 0;

  const draw = (): void => {
    if (drawing !== undefined) update(drawing());
  };
  const clear = (): void => {
    clearInterval(timer);
    timer = undefined;
    if (drawing !== undefined) update.clear();
    drawing = undefined;
  };

  return {
    show(doing, left, progress) {
      drawing = () => {
        const spinner = style.cyan(frames[frame % frames.length] ?? '');
        const rest = [left(), bar(progress, style)].filter((part) => part !== '');
        return `${spinner} ${doing} ${rest.length === 0 ? '' : ` ${rest.join('  ')}`}`;
      };
      draw();
      timer ??= setInterval(() => {
        frame += 1;
        draw();
      }, FRAME_MS).unref();
    },
    persist(text) {
      if (drawing !== undefined) update.clear();
      stream.write(`${text}\n`);
      draw();
    },
    clear,
    stop() {
      clear();
      update.done();
    },
  };
}

function bar({ completed, total }: Progress, { cyan, dim, symbols }: Style): string {
  if (total <= 0) return '';
  const full = Math.round((Math.min(completed, total) / total) * BAR_COLUMNS);
  const { full: done, empty } = symbols.bar;
  return `${cyan(done.repeat(full))}${dim(empty.repeat(BAR_COLUMNS - full))} ${dim(`${completed}/${total}`)}`;
}
