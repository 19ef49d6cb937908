/**
 * Resolves when the process is told to end. The listeners stay: npm passes on a Ctrl-C that
 * the terminal has already sent, and the second must not end what cleans up after the first.
 */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}
