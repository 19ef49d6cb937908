/**
 * The call that is being served, for code that is not handed it: tools deep inside
 * an MCP server. By `AsyncLocalStorage` where the platform has one (Node, Deno, Bun,
 * Workers with `nodejs_compat`); elsewhere nothing breaks and nothing is found.
 */
import type { ProtectedCall } from './protect-options.ts';

interface CallStorage {
  run<Result>(call: ProtectedCall<unknown>, work: () => Result): Result;
  getStore(): ProtectedCall<unknown> | undefined;
}

type StorageClass = new () => CallStorage;

interface Platform {
  readonly AsyncLocalStorage?: unknown;
  readonly process?: { readonly getBuiltinModule?: (name: string) => { readonly AsyncLocalStorage?: unknown } | undefined };
}

// Looked up and not imported: a bundler for a platform without it would stop at the import.
function storageClass(): StorageClass | undefined {
  const platform = globalThis as Platform;
  const found = platform.process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage ?? platform.AsyncLocalStorage;
  return typeof found === 'function' ? (found as StorageClass) : undefined;
}

let storage: CallStorage | null | undefined;

function callStorage(): CallStorage | null {
  if (storage === undefined) {
    const Storage = storageClass();
    storage = Storage === undefined ? null : new Storage();
  }
  return storage;
}

/** Does the work as part of this call: `currentCaller` finds it there and in all that the work starts. */
export function withCaller<Result>(call: ProtectedCall<unknown>, work: () => Result): Result {
  const here = callStorage();
  return here === null ? work() : here.run(call, work);
}

/**
 * The call that is being served: in the handler of `protect`, in `createClient`'s
 * client, and in what produces the response body. `undefined` outside of a call, and
 * on platforms without `AsyncLocalStorage`. Its client is closed when the response
 * is over: work that goes on afterwards must not use it.
 */
export function currentCaller<Client = unknown>(): ProtectedCall<Client> | undefined {
  return callStorage()?.getStore() as ProtectedCall<Client> | undefined;
}
