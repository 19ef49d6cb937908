/** A keychain in memory, which does to its callers whatever a test says. */
import type { Keychain, KeychainEntry } from '../../src/stores/keychain.ts';

type Question = 'get' | 'set' | 'delete';

export interface MemoryKeychain extends Keychain {
  /** By service and name. */
  readonly entries: Map<string, string>;
  /** What it was asked, in order. */
  readonly questions: readonly Question[];
  /** The most questions that were open at a time. */
  readonly openAtMost: number;
  /** Runs before every answer; may throw, or wait. */
  before: (question: Question) => Promise<void> | void;
}

export function memoryKeychain(): MemoryKeychain {
  const entries = new Map<string, string>();
  const questions: Question[] = [];
  let open = 0;
  let openAtMost = 0;
  const idOf = ({ service, name }: KeychainEntry): string => `${service} ${name}`;
  const answering = async <Answer>(question: Question, answer: () => Answer): Promise<Answer> => {
    questions.push(question);
    open += 1;
    openAtMost = Math.max(openAtMost, open);
    try {
      await keychain.before(question);
      return answer();
    } finally {
      open -= 1;
    }
  };
  const keychain: MemoryKeychain = {
    entries,
    questions,
    before: () => {},
    get openAtMost() {
      return openAtMost;
    },
    get: (entry) => answering('get', () => entries.get(idOf(entry)) ?? null),
    set: ({ value, ...entry }) => answering('set', () => void entries.set(idOf(entry), value)),
    delete: (entry) => answering('delete', () => entries.delete(idOf(entry))),
  };
  return keychain;
}
