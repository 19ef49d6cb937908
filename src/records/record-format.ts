/** What all records share: a format number, and a reader that refuses what it does not understand (STO-05). */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { StoredRecord } from '../stores/contract.ts';

/** Written into every record; raised when a reader of today could misunderstand tomorrow's record. */
export const RECORD_FORMAT = 1;

const anyFormat = z.object({ format: z.number() });

/**
 * The record's value, checked. Throws `record_unreadable` for a newer format, and for
 * damage or a hand-made edit; the record stays as it is in both cases.
 */
export function decodeRecord<Schema extends z.ZodMiniType>(kind: string, schema: Schema, record: StoredRecord): z.output<Schema> {
  const format = anyFormat.safeParse(record.value).data?.format;
  if (format !== undefined && format > RECORD_FORMAT) {
    throw newer(`The ${kind} record has format ${format}; this version of authchart reads up to ${RECORD_FORMAT}.`);
  }
  const parsed = schema.safeParse(record.value);
  // The parser's own text is left out: it may quote what it read.
  if (format !== RECORD_FORMAT || !parsed.success) throw unreadable(`The ${kind} record is damaged.`);
  return parsed.data;
}

function unreadable(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason });
}

function newer(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason, isNewer: true });
}
