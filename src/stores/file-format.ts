/**
 * What a record looks like in its file: one line that says how to read the rest
 * and what it sums up to, one line of JSON. A file that was cut, changed or
 * overwritten at any byte is told from a whole one; so is one of a later format,
 * whose first line will still be understood (STO-05).
 */
import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { JsonObject } from './contract.ts';
import { jsonText } from './json-text.ts';

export interface FileRecord {
  /** The record's key: file names are digests and cannot be read back. */
  readonly key: string;
  readonly version: string;
  readonly expiresAtEpochMs?: number;
  readonly value: JsonObject;
}

export type DecodedFile =
  | { readonly outcome: 'whole'; readonly record: FileRecord }
  | { readonly outcome: 'newer'; readonly format: number }
  | { readonly outcome: 'damaged' };

const FILE_FORMAT = 1;
const LINE_END = 10;

const firstLine = z.object({ authchart: z.literal('record'), format: z.number(), sha256: z.exactOptional(z.string()) });
const secondLine = z.object({
  key: z.string(),
  version: z.string(),
  expiresAtEpochMs: z.exactOptional(z.number()),
  value: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
});

/** Throws `store_failed` for a value that is not JSON. */
export function encodeFile(record: FileRecord): string {
  const { key, version, expiresAtEpochMs, value } = record;
  const body = `${jsonText({ key, version, expiresAtEpochMs, value })}\n`;
  return `${JSON.stringify({ authchart: 'record', format: FILE_FORMAT, sha256: sumOf(body) })}\n${body}`;
}

/** With `key`, a file of another record, copied or moved to this one's name, counts as damaged. */
export function decodeFile(bytes: Buffer, key?: string): DecodedFile {
  const endOfFirst = bytes.indexOf(LINE_END);
  const header = firstLine.safeParse(jsonOf(bytes.subarray(0, Math.max(0, endOfFirst))));
  if (!header.success) return { outcome: 'damaged' };
  const { format, sha256 } = header.data;
  if (format > FILE_FORMAT) return { outcome: 'newer', format };
  const body = bytes.subarray(endOfFirst + 1);
  if (format !== FILE_FORMAT || sumOf(body) !== sha256) return { outcome: 'damaged' };
  const record = secondLine.safeParse(jsonOf(body));
  if (!record.success || (key !== undefined && record.data.key !== key)) return { outcome: 'damaged' };
  return { outcome: 'whole', record: record.data };
}

function sumOf(body: string | Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
