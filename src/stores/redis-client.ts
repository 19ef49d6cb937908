/** The user's own Redis client, whichever library it is of, as a function that runs scripts. */
import { FailureError } from '../failure.ts';
import { misconfigured } from '../misconfigured.ts';
import { databaseErrorCode, databaseFailure } from './database-errors.ts';

/** Clients, pools, clusters and sentinels of `redis` (node-redis). */
export interface NodeRedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** Clients and clusters of `ioredis`. */
export interface IoRedisClient {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  evalsha(sha1: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** For every other library: sends `['EVALSHA', …]` and resolves to the reply, or rejects with the error that Redis answered. */
export type RedisCommand = (command: readonly string[]) => Promise<unknown>;

export type RedisClient = NodeRedisClient | IoRedisClient | RedisCommand;

/** Runs a script on one key; resolves to the texts it returned. */
export type RunScript = (script: string, key: string, values: readonly string[]) => Promise<readonly string[]>;

/** Sends a script's digest, and its text only where Redis does not know it yet (each node learns it once). */
export function scriptRunner(client: RedisClient): RunScript {
  const evaluate = evaluatorOf(client);
  return async (script, key, values) => {
    try {
      const reply = await evaluate('sha1', await sha1(script), [key, ...values]).catch((thrown: unknown) => {
        if (databaseErrorCode(thrown) !== 'NOSCRIPT') throw thrown;
        return evaluate('script', script, [key, ...values]);
      });
      if (!Array.isArray(reply)) throw new TypeError('Redis answered something else than a list.');
      return reply.map(String);
    } catch (thrown) {
      if (databaseErrorCode(thrown) !== 'WRONGTYPE') throw databaseFailure(thrown, 'Redis');
      throw new FailureError('record_unreadable', 'storage', { reason: 'The key holds something else than a record.' });
    }
  };
}

/** Calls the client with a script or its digest; the first of `all` is the key. */
type Evaluate = (by: 'sha1' | 'script', text: string, all: readonly [key: string, ...values: string[]]) => Promise<unknown>;

function evaluatorOf(client: RedisClient): Evaluate {
  if (typeof client === 'function') {
    return async (by, text, all) => client([by === 'sha1' ? 'EVALSHA' : 'EVAL', text, '1', ...all]);
  }
  if ('evalSha' in client) {
    return async (by, text, [key, ...values]) => {
      const options = { keys: [key], arguments: values };
      return by === 'sha1' ? client.evalSha(text, options) : client.eval(text, options);
    };
  }
  if ('evalsha' in client) {
    return async (by, text, all) => (by === 'sha1' ? client.evalsha(text, 1, ...all) : client.eval(text, 1, ...all));
  }
  throw misconfigured([
    'The client of the Redis store can run no scripts: pass one of redis or ioredis, or a function that sends a command.',
  ]);
}

const digests = new Map<string, Promise<string>>();

/** Not for security: Redis names its scripts so. */
function sha1(script: string): Promise<string> {
  const known = digests.get(script);
  if (known !== undefined) return known;
  const made = crypto.subtle
    .digest('SHA-1', new TextEncoder().encode(script))
    .then((bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join(''));
  digests.set(script, made);
  return made;
}
