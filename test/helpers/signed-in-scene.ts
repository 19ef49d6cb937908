/** A scene whose client has logged in already, and what refresh tests ask of it. */
import { CALL, type Scene, type SceneOptions, scene } from './scripted-client.ts';

export interface SignedIn extends Scene {
  /** One request of the client, its status. */
  call(): Promise<number>;
  /** `grant_type` of every token request since the login. */
  grants(): readonly (string | null)[];
}

/** Just inside the skew of a token that lives an hour. */
export const UNTIL_DUE_MS = 3_575_000;
/** Past its end. */
export const UNTIL_EXPIRED_MS = 3_601_000;

export async function signedIn(options: SceneOptions = {}): Promise<SignedIn> {
  const stage = scene(options);
  await stage.client.authorize();
  const before = stage.servers.requestsFor('token').length;
  return {
    ...stage,
    call: async () => (await stage.client.fetch(stage.servers.resource.url, CALL)).status,
    grants: () =>
      stage.servers
        .requestsFor('token')
        .slice(before)
        .map(({ form }) => form.get('grant_type')),
  };
}
