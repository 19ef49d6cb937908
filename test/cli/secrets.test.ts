import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectLeaks } from '../fixtures/scripted/secrets.ts';
import { type CommandRun, temporaryDirectory } from './run-command.ts';
import { type Surroundings, surroundings } from './signed-in.ts';

const CLIENT = { client_id: 'app', client_secret: 'SECRET-of-the-client', redirect_uris: ['http://127.0.0.1/callback'] };

/** Every command but `token`, at its most talkative, through sign-in, refresh, failure and sign-out. */
async function talkative({ command, servers, refusing }: Surroundings, args: readonly string[]): Promise<readonly CommandRun[]> {
  const file = join(await temporaryDirectory(), 'client-secret');
  await writeFile(file, CLIENT.client_secret);
  const all = [...args, '--verbose', '--client-id', CLIENT.client_id, '--client-secret-file', file];
  const runs = [await command('login', all, { parts: refusing }), await command('login', all)];
  runs.push(await command('status', all), await command('discover', all));
  runs.push(await command('fetch', [...all, '-i']));
  servers.respond('token', () => Response.json({ error: 'invalid_grant', error_description: 'The grant is over.' }, { status: 400 }));
  runs.push(await command('fetch', all, { parts: refusing }));
  servers.respond('token', 500, { times: 9 });
  runs.push(await command('login', all));
  runs.push(await command('logout', all), await command('status', all));
  return runs;
}

describe('what the commands say', () => {
  it.each([
    ['for people', []],
    ['for machines', ['--json']],
  ])('holds no token, code, verifier or secret, %s (SEC-01)', async (_for, args) => {
    const around = await surroundings({ authorizationServer: { clients: [CLIENT], accessTokenSeconds: 20 } });
    const runs = await talkative(around, args);
    expect(new Set(runs.map(({ exitCode }) => exitCode)).size).toBeGreaterThan(2);
    expect(around.servers.markers.secrets.size).toBeGreaterThan(3);
    const said = runs.map(({ stdout, stderr }) => ({ stdout, stderr }));
    expect(collectLeaks(said, around.servers.markers)).toEqual([]);
  });

  it('is searched by something that finds a secret: token prints one, because it is asked to (SEC-01)', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    const { stdout, stderr } = await command('token', ['--verbose']);
    expect(collectLeaks(stdout, servers.markers)).toHaveLength(1);
    expect(collectLeaks(stderr, servers.markers)).toEqual([]);
  });
});
