/** The flows in which programs are killed. */
import type { KillableFlow } from './kill-point.ts';

export const LOGIN: KillableFlow = {
  name: 'a login',
  task: { do: 'call', path: '' },
  prepare: () => {},
  cost: { approvals: 1, registrations: 1, codesSent: 1 },
};

/** Its access token has run out, as the program knows: it refreshes before it asks. */
export const REFRESH: KillableFlow = {
  name: 'a refresh before a request',
  task: { do: 'call', path: '' },
  async prepare(scene) {
    await scene.signIn();
    scene.passAnHour();
  },
  cost: { refreshes: 1 },
};

/** Only the resource knows that the access token is no longer good. */
export const REFRESH_AFTER_401: KillableFlow = {
  name: 'a refresh after a 401',
  task: { do: 'call', path: '' },
  async prepare(scene) {
    await scene.signIn();
    scene.servers.authorizationServer.expireAccessTokens();
  },
  cost: { refreshes: 1 },
};

export const STEP_UP: KillableFlow = {
  name: 'a step-up',
  task: { do: 'call', path: '/write' },
  prepare: (scene) => scene.signIn(),
  cost: { approvals: 1, codesSent: 1 },
};

export const SIGN_OUT: KillableFlow = {
  name: 'a sign-out',
  task: { do: 'signOut' },
  prepare: (scene) => scene.signIn(),
  cost: {},
  outcome: 'unauthorized',
};
