import { describe, expect, it } from 'vitest';
import { keysAt } from '../../src/gateway/oauth/client-keys.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const URL_OF_KEYS = 'https://client.example.com/keys';
const KEY = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' };

function scene(answer: () => Response) {
  const clock = simulatedClock();
  const asked: string[] = [];
  const http = async (url: string | URL): Promise<Response> => {
    asked.push(String(url));
    await Promise.resolve();
    return answer();
  };
  const keys = keysAt(URL_OF_KEYS, {
    http: http as Parameters<typeof keysAt>[1]['http'],
    clock,
    unusable: () => new TypeError('unusable'),
  });
  return { keys, asked, clock };
}

describe('the keys of a client', () => {
  it('that are none are asked for once in half a minute, however many assertions nobody has signed come (GWY-05)', async () => {
    const { keys, asked, clock } = scene(() => new Response('a page of somebody who is no client', { status: 404 }));
    for (let times = 0; times < 50; times += 1) await expect(keys(`key-${times}`)).rejects.toThrow('unusable');
    expect(asked).toEqual([URL_OF_KEYS]);
    await clock.advance(30_000);
    await expect(keys('one')).rejects.toThrow('unusable');
    expect(asked).toHaveLength(2);
  });

  it('are fetched once for all who ask meanwhile (GWY-05)', async () => {
    const { keys, asked } = scene(() => Response.json({ keys: [KEY] }));
    const found = await Promise.all(Array.from({ length: 50 }, () => keys('one')));
    expect([asked.length, new Set(found.map(([key]) => key?.kid))]).toEqual([1, new Set(['one'])]);
  });

  it('are looked for again where one is new, and serve meanwhile where that fails (GWY-05)', async () => {
    let isDown = false;
    const { keys, asked, clock } = scene(() => (isDown ? new Response(null, { status: 500 }) : Response.json({ keys: [KEY] })));
    await keys('one');
    await clock.advance(30_000);
    isDown = true;
    for (const keyId of ['two', 'three', 'four']) await expect(keys(keyId)).rejects.toThrow('unusable');
    expect((await keys('one')).map(({ kid }) => kid)).toEqual(['one']);
    expect(asked).toHaveLength(2);
  });
});
