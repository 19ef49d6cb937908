/**
 * A bounded number of records in any store: each lives in one of `capacity` slots,
 * so that no counter is needed and replicas need not agree on one. An identifier is
 * the number of its slot and a random text.
 */
import type { JsonObject, Store, StoredRecord } from '../../stores/contract.ts';
import { randomText } from './random-text.ts';

/** With nine of ten slots taken, one of six callers finds none free; with half of them, none in practice. */
const SLOTS_TRIED = 16;
const IDENTIFIER = /^(\d{1,9})\.[\w-]{43}$/;

export interface Slots {
  /** An identifier whose slot is free at this moment; `undefined`: none was found. Whoever writes first has it. */
  free(): Promise<string | undefined>;
  /** The record's key; `undefined` for what is no identifier of these slots. */
  keyOf(id: string): string | undefined;
  /** The record, if it says that it is the one of this identifier. */
  read(id: string, idIn: (value: JsonObject) => unknown): Promise<StoredRecord | undefined>;
}

export function createSlots(store: Store, kind: string, capacity: number): Slots {
  const keyOf = (id: string): string | undefined => {
    const slot = IDENTIFIER.exec(id)?.[1];
    return slot === undefined ? undefined : `${kind}/${slot}`;
  };
  return {
    keyOf,
    async free() {
      for (let tried = 0; tried < SLOTS_TRIED; tried += 1) {
        const slot = randomBelow(capacity);
        if ((await store.read(`${kind}/${slot}`)) === undefined) return `${slot}.${randomText()}`;
      }
      return undefined;
    },
    async read(id, idIn) {
      const key = keyOf(id);
      const record = key === undefined ? undefined : await store.read(key);
      return record !== undefined && idIn(record.value) === id ? record : undefined;
    },
  };
}

function randomBelow(capacity: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random % Math.max(1, Math.floor(capacity));
}
