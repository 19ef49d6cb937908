/** Keeps zod from trying `new Function`: pages with a strict content security policy report every try. */
import * as z from 'zod/mini';

/** May be called any number of times; before the first document is parsed. */
export function parseWithoutEval(): void {
  z.config({ jitless: true });
}
