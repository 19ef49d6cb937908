/** Keeps what is written to the console out of the test's output, until the test is over. */
import { vi } from 'vitest';

const METHODS = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;

/** @returns what has been written, newest last */
export function caughtConsole(): readonly unknown[] {
  const written: unknown[] = [];
  for (const method of METHODS) vi.spyOn(console, method).mockImplementation((...text) => void written.push(text));
  return written;
}
