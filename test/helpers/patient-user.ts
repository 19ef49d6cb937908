/** A user who approves, and who loads the page again where it tells of a failure. */
import type { UserAgent } from '../../src/user-agents/contract.ts';
import type { ScriptedServers } from '../fixtures/scripted/scripted-servers.ts';

export interface PatientUser extends UserAgent {
  /** Authorization URLs shown, in order. */
  readonly shown: readonly string[];
}

export function patientUser(servers: Pick<ScriptedServers, 'approve'>): PatientUser {
  const shown: string[] = [];
  return {
    shown,
    open: async ({ deliver }) => ({
      redirectUri: 'http://127.0.0.1:7777/callback',
      close: async () => {},
      present: async ({ authorizationUrl }) => {
        shown.push(authorizationUrl);
        const callbackUrl = await servers.approve(authorizationUrl);
        const bring = async (times: number): Promise<void> => {
          const { accepted } = await deliver(callbackUrl);
          if (!accepted && times > 1) await bring(times - 1);
        };
        void bring(3);
      },
    }),
  };
}
