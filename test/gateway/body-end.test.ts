import { describe, expect, it } from 'vitest';
import { withBodyEnd } from '../../src/gateway/body-end.ts';
import { settled } from '../helpers/simulated-clock.ts';

/** A source that makes a chunk when it is asked for one, and counts; `withBodyEnd` over it. */
function countedScene() {
  let pulled = 0;
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode(`${pulled}`));
      },
    },
    { highWaterMark: 0 },
  );
  const watched = withBodyEnd(new Response(source), {
    onEnd: () => {},
    signal: new AbortController().signal,
    within: (work) => work(),
  });
  return { reader: watched.body?.getReader(), pulled: () => pulled };
}

describe('a watched body', () => {
  it('fetches nothing before its reader asks, and then what was asked for alone (GWY-11)', async () => {
    const { reader, pulled } = countedScene();
    await settled();
    expect(pulled()).toBe(0);
    for (const count of [1, 2, 3]) {
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(`${count}`);
      await settled();
      expect(pulled()).toBe(count);
    }
  });
});
