/** `-X`, `-H` and `-d` as curl has them. */
import { openAsBlob } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { FetchOptions } from './commands/fetch.ts';
import type { CommandContext } from './context.ts';
import { usageError } from './ended.ts';

/** What curl sends when nobody says otherwise. */
const FORM = 'application/x-www-form-urlencoded';

export async function readRequest(context: CommandContext, { method, header, data }: FetchOptions): Promise<RequestInit> {
  const headers = readHeaders(header ?? []);
  if (data === undefined) return { method: method?.toUpperCase() ?? 'GET', headers };
  const verb = method?.toUpperCase() ?? 'POST';
  if (verb === 'GET' || verb === 'HEAD') throw usageError(`A ${verb} request has no body: leave --data out or choose another --method.`);
  if (!headers.has('content-type')) headers.set('content-type', FORM);
  return { method: verb, headers, body: await readBody(context, data) };
}

function readHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    // The value may be a secret: a mistake is reported without it.
    if (colon < 1) throw usageError('A --header is written as "Name: value".');
    try {
      headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    } catch {
      throw usageError(`--header ${JSON.stringify(line.slice(0, colon).trim())} cannot be sent.`);
    }
  }
  return headers;
}

/** Can be sent a second time after signing in: a file is read again, stdin is kept. */
async function readBody({ io, options }: CommandContext, data: readonly string[]): Promise<Blob> {
  if (data.filter((part) => part === '@-').length > 1) throw usageError('stdin can be read once: --data @- is given twice.');
  if (data.includes('@-') && options.manual === true) throw usageError('--manual and --data @- cannot both read stdin.');
  const parts: BlobPart[] = [];
  for (const part of data) {
    if (parts.length > 0) parts.push('&');
    if (part === '@-') parts.push(await buffer(io.stdin));
    else if (part.startsWith('@')) parts.push(await fileBody(part.slice(1)));
    else parts.push(part);
  }
  return new Blob(parts);
}

async function fileBody(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch {
    throw usageError(`The file ${JSON.stringify(path)} of --data cannot be read.`);
  }
}
