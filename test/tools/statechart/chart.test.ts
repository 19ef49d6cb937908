import { describe, expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { authorizationMachine } from '../../../machines/authorization-machine.ts';
import { arrowsOf } from './chart-arrows.ts';
import { chartAsDot } from './chart-dot.ts';
import { readChart, withDescendants } from './chart-model.ts';
import { chartAsSvg } from './chart-picture.ts';
import { chartAsMarkdown } from './chart-table.ts';

const lamp = setup({
  types: {} as { context: { tries: number } },
  actors: { fetchBulb: fromPromise<{ kind: string }>(async () => ({ kind: 'led' })) },
  guards: { isKind: (_, params: { kind: string; wanted: string }) => params.kind === params.wanted },
}).createMachine({
  id: 'lamp',
  description: 'A lamp.',
  context: { tries: 0 },
  initial: 'resting',
  states: {
    resting: {
      description: 'Nothing happens.',
      initial: 'dark',
      on: { 'switch.on': '#working' },
      states: {
        dark: { description: 'No light | at all.', meta: { rule: 'RES-01' } },
        broken: { id: 'broken', description: 'For good.', tags: ['terminal'] },
      },
    },
    working: {
      id: 'working',
      description: 'Getting light.',
      initial: 'changing',
      states: {
        changing: {
          description: 'Fetches a bulb.',
          tags: ['working'],
          invoke: {
            src: 'fetchBulb',
            onDone: [
              { guard: { type: 'isKind', params: ({ event }) => ({ kind: event.output.kind, wanted: 'led' }) }, target: 'shining' },
              { target: 'changing', reenter: true, actions: assign({ tries: 1 }) },
            ],
            onError: '#broken',
          },
        },
        shining: { description: 'There is light.' },
      },
    },
  },
});

const chart = readChart(lamp);

describe('a chart', () => {
  it('is read with its actors, triggers and the constants of its guards', () => {
    const changing = withDescendants(chart).find(({ path }) => path === 'working.changing');
    expect(changing).toMatchObject({ description: 'Fetches a bulb.', tags: ['working'], actors: ['fetchBulb'] });
    expect(changing?.transitions).toEqual([
      { from: 'working.changing', to: 'working.shining', trigger: 'done', name: 'fetchBulb', guard: 'isKind: led', actions: [] },
      { from: 'working.changing', to: 'working.changing', trigger: 'done', name: 'fetchBulb', actions: ['xstate.assign'] },
      { from: 'working.changing', to: 'resting.broken', trigger: 'error', name: 'fetchBulb', actions: [] },
    ]);
  });

  it('needs a description of every state', () => {
    const nameless = setup({}).createMachine({ id: 'x', description: 'x', initial: 'silent', states: { silent: {} } });
    expect(() => readChart(nameless)).toThrow('State silent has no description.');
  });

  it('draws the error every state answers alike only once', () => {
    const { arrows, usualErrors } = arrowsOf(chart);
    expect(usualErrors).toMatchObject({ from: 'working', to: { path: 'resting.broken' } });
    expect(arrows.filter(({ kind }) => kind === 'error')).toEqual([]);
  });

  it('is told in words, with what Markdown would misread taken out', () => {
    const lines = chartAsMarkdown(chart, 'lamp.svg').split('\n');
    expect(lines).toContain('Generated from the code by `npm run docs`. The same as one picture: [lamp.svg](lamp.svg).');
    expect(lines).toContain('| `switch.on` |  | [`working`](#working) |  |');
    expect(lines).toContain('| done | `isKind: led` | [`working.shining`](#workingshining) |  |');
    expect(lines).toContain('| done |  | [`working.changing`](#workingchanging) | keeps the answer |');
  });

  it('is drawn the same every time, each state under its own id', async () => {
    const [one, other] = await Promise.all([chartAsSvg(chart), chartAsSvg(chart)]);
    expect(one).toBe(other);
    for (const { path } of withDescendants(chart).slice(1)) expect(one).toContain(`id="state-${path}"`);
  });
});

describe('a chart without states inside others', () => {
  const flat = readChart(
    setup({ actors: { fetchBulb: fromPromise(async () => {}) } }).createMachine({
      id: 'bulb',
      description: 'A bulb.',
      initial: 'bought',
      states: {
        bought: { description: 'New.', on: { fall: 'broken', screw: 'fitted' } },
        fitted: { description: 'In its place.', on: { fall: 'broken', light: 'shining' } },
        shining: { description: 'There is light.', on: { fall: 'broken' } },
        broken: { description: 'For good.', tags: ['terminal'], on: { fall: { target: 'broken', reenter: true } } },
      },
    }),
  );

  it('draws the way on and the last way to an end as lines, and all before it as chips', () => {
    const { arrows, usualErrors } = arrowsOf(flat);
    expect(usualErrors).toBeUndefined();
    expect(arrows.filter(({ isChip }) => isChip).map(({ from, to }) => `${from} ${to.path}`)).toEqual(['bought broken', 'fitted broken']);
  });

  it('is drawn with every arrow: none ends at a node that nobody has declared', () => {
    const dot = chartAsDot(flat);
    const ends = [...dot.matchAll(/^"([^"]+)" -> "([^"]+)"/gm)].flatMap(([, from = '', to = '']) => [from, to]);
    expect(ends).toHaveLength(10);
    for (const end of ends) expect(dot).toContain(`\n"${end}" [`);
  });
});

describe('the authorization chart', () => {
  it('describes every state, tags all that work or wait, and names the rule of each leaf (OBS-01)', () => {
    const leaves = withDescendants(readChart(authorizationMachine)).filter(({ children }) => children.length === 0);
    expect(leaves.filter(({ actors, tags }) => actors.length > 0 && !tags.includes('working') && !tags.includes('waitingForUser'))).toEqual(
      [],
    );
    const deciding = ({ transitions }: (typeof leaves)[number]) => transitions.some(({ trigger }) => trigger === 'always');
    expect(leaves.filter((leaf) => leaf.rule === undefined && !deciding(leaf)).map(({ path }) => path)).toEqual([]);
  });
});
