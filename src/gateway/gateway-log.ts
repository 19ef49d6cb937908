/** The log of the gateway's parts. */
import type { LogRecord } from '../options.ts';

export type GatewayLog = (level: LogRecord['level'], event: string, details?: Readonly<Record<string, unknown>>) => void;

/** Writes nothing by default, and no request fails because its record could not be written. */
export function gatewayLog(logger: ((record: LogRecord) => void) | undefined, now: () => number): GatewayLog {
  if (logger === undefined) return () => {};
  return (level, event, details) => {
    try {
      logger({ ...details, level, event, atEpochMs: now() });
    } catch {
      // Whom should one tell?
    }
  };
}
