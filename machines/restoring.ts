/** Reads the store and goes on where this account left off, in this process or another (RES-02). */
import { chart, identity, rejection } from './chart-setup.ts';
import type { RestoredFlow, ResumePlace } from './contracts.ts';

const restored = ({ event }: { event: { output: RestoredFlow } }): RestoredFlow => event.output;
const adoptCheckpoint = { type: 'adoptCheckpoint', params: restored } as const;

/** True where the store says that the flow goes on at this place. */
const at = (place: ResumePlace) =>
  ({
    type: 'resumesAt',
    params: ({ event }: { event: { output: RestoredFlow } }) => ({ place: event.output.place, at: place }),
  }) as const;

export const restoring = chart.createStateConfig({
  id: 'restoring',
  description: 'Looks in the store for a credential or an unfinished flow.',
  tags: ['working'],
  meta: { rule: 'RES-02' },
  invoke: {
    src: 'restoreFlow',
    input: ({ context }) => identity(context),
    onDone: [
      { guard: at('authorized'), target: '#authorized', actions: adoptCheckpoint },
      { guard: at('discovering'), target: '#askingResource', actions: adoptCheckpoint },
      { guard: at('joining'), target: '#joining', actions: adoptCheckpoint },
      { target: '#unauthorized', actions: adoptCheckpoint },
    ],
    onError: [
      {
        guard: { type: 'isStoreUnread', params: rejection },
        target: '#failing',
        actions: { type: 'keepFailure', params: rejection },
      },
      // A damaged checkpoint is reported once; the next request starts a new flow (RES-04).
      { target: '#failing', actions: [{ type: 'keepFailure', params: rejection }, 'countAsRestored'] },
    ],
  },
});
