import { describe, expect, it } from 'vitest';
import { type InspectionEvent, type SnapshotFrom, waitFor } from 'xstate';
import type { AuthorizationMachine } from '../../machines/authorization-machine.ts';
import { PUBLIC_EVENTS } from '../../machines/contracts.ts';
import type { LogRecord } from '../../src/options.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

describe('the inspect option', () => {
  it('receives every kind of event of the actor and of those it invokes (OBS-04)', async () => {
    const events: InspectionEvent[] = [];
    const world = scene({ client: { inspect: (event) => events.push(event) } });
    await call(world);
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot', '@xstate.microstep', '@xstate.action']),
    );
    const rootId = world.client.actor.sessionId;
    expect(events.every((event) => event.rootId === rootId)).toBe(true);
    const sources = events.flatMap((event) => (event.type === '@xstate.actor' && 'src' in event.actorRef ? [event.actorRef.src] : []));
    expect(sources).toEqual(expect.arrayContaining(['restoreFlow', 'lookForServerMetadata', 'registerClient', 'exchangeCode']));
  });

  it('takes an observer as well, which is what the Stately inspector hands over (OBS-04)', async () => {
    const types: string[] = [];
    const world = scene({ client: { inspect: { next: (event) => types.push(event.type) } } });
    await call(world);
    expect(types).toContain('@xstate.snapshot');
  });

  it('shows each state the chart passes through, with its tags and description (OBS-04, OBS-01)', async () => {
    const passed: string[] = [];
    const world = scene({
      client: {
        inspect: (event) => {
          if (event.type === '@xstate.microstep' && 'value' in event.snapshot) passed.push(JSON.stringify(event.snapshot.value));
        },
      },
    });
    await call(world);
    expect(passed.slice(-4)).toEqual([
      '{"working":{"loggingIn":"awaitingUser"}}',
      '{"working":{"loggingIn":"checkingCallback"}}',
      '{"working":{"loggingIn":"exchangingCode"}}',
      '{"resting":"authorized"}',
    ]);
  });

  it('cannot break a flow by throwing, and says so to the logger once (OBS-04)', async () => {
    const records: LogRecord[] = [];
    const inspect = (): void => {
      throw new Error('of the inspector');
    };
    const world = scene({ client: { inspect, logger: (record) => records.push(record) } });
    expect((await call(world)).status).toBe(200);
    expect(records.filter(({ event }) => event === 'inspector-failed')).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain('of the inspector');
  });
});

describe('the logger option', () => {
  it('cannot break a flow by throwing (SEC-05)', async () => {
    let asked = 0;
    const logger = (): void => {
      asked += 1;
      throw new Error('of the logger');
    };
    const world = scene({ client: { logger } });
    expect((await call(world)).status).toBe(200);
    expect(asked).toBeGreaterThan(0);
  });
});

describe('the actor', () => {
  it('is subscribed to and selected from like any XState actor (OBS-04)', async () => {
    const world = scene();
    const { actor } = world.client;
    // What useSelector does: subscribe, select, compare.
    const select = (snapshot: SnapshotFrom<AuthorizationMachine>) => snapshot.context.authorizationServer?.issuer;
    const selected: (string | undefined)[] = [select(actor.getSnapshot())];
    const subscription = actor.subscribe((snapshot) => {
      const next = select(snapshot);
      if (!Object.is(next, selected.at(-1))) selected.push(next);
    });
    const authorized = waitFor(actor, (snapshot) => snapshot.matches({ resting: 'authorized' }));
    await call(world);
    expect((await authorized).hasTag('working')).toBe(false);
    expect(selected).toEqual([undefined, 'https://login.example.com']);
    subscription.unsubscribe();
    expect(actor.getSnapshot().can({ type: 'session.signOut', forgetRegistration: false })).toBe(true);
    expect(Object.values(actor.getSnapshot().getMeta())).toContainEqual({ rule: 'FET-11' });
  });

  it('obeys the public events that are sent to it (OBS-04)', async () => {
    const world = scene({ act: () => undefined });
    world.client.actor.send({ type: 'authorization.begin' });
    await untilStep(world.client, 'awaiting-user');
    world.client.actor.send({ type: 'authorization.cancel' });
    expect(world.client.status.step).toBe('cancelled');
  });

  it('refuses the events of its own actors, from whomever they come (OBS-04)', async () => {
    const world = scene({ act: () => undefined });
    const pending = call(world);
    await untilStep(world.client, 'awaiting-user');
    const { actor } = world.client;
    const before = actor.getSnapshot();
    const token = {
      issuer: 'https://evil.example',
      clientId: 'x',
      scopes: [],
      requestedScopes: [],
      tokenType: 'Bearer',
      refreshable: false,
      obtainedAtEpochSeconds: 0,
      version: 'x',
    };
    const ids = ['0.exchangingCode', ...Object.keys(before.children)];
    for (const id of ids) {
      actor.send({ type: `xstate.done.actor.${id}`, output: { token }, actorId: id } as never);
      actor.send({ type: `xstate.error.actor.${id}`, error: new Error('x'), actorId: id } as never);
    }
    for (const type of ['xstate.init', 'xstate.stop', '*', 'toString', '__proto__']) actor.send({ type } as never);
    expect(actor.getSnapshot()).toBe(before);
    expect([...PUBLIC_EVENTS].filter((type) => type.startsWith('xstate'))).toEqual([]);
    world.client.cancel();
    expect(await failureOfCall(pending)).toMatchObject({ code: 'cancelled' });
  });

  it('refuses a public event that says what only an actor can know (OBS-04, AUT-05)', async () => {
    const world = scene({ act: () => undefined });
    const pending = call(world);
    await untilStep(world.client, 'awaiting-user');
    await settled();
    const { grant } = world.client.actor.getSnapshot().context;
    // The event alone proves nothing: the callback has to be in the vault.
    world.client.actor.send({ type: 'callback.received', attemptId: grant?.attemptId ?? '' });
    expect(await failureOfCall(pending)).toMatchObject({ code: 'callback_not_expected' });
    expect(world.servers.requestsFor('token')).toEqual([]);
  });

  it('hears nothing more after the client was closed (OBS-04)', async () => {
    const world = scene();
    await call(world);
    await world.client.close();
    const before = world.servers.requests.length;
    world.client.actor.send({ type: 'authorization.begin' });
    await settled();
    expect(world.servers.requests).toHaveLength(before);
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'closed' });
  });
});
