import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand, temporaryDirectory } from './run-command.ts';
import { surroundings } from './signed-in.ts';

/** What the scripted resource says it was sent. */
const echoOf = (stdout: string) => JSON.parse(stdout) as { method: string; path: string; body: string };

describe('authchart fetch', () => {
  it('signs in where needed, sends the request and streams the body to stdout', async () => {
    const { command, servers } = await surroundings();
    const { exitCode, stdout } = await command('fetch', ['-d', '{"id":1}', '-H', 'Content-Type: application/json', '-H', 'X-Trace: 7']);
    expect(exitCode).toBe(0);
    expect(echoOf(stdout)).toEqual({ method: 'POST', path: '/mcp', body: '{"id":1}' });
    const last = servers.requestsFor('resource').at(-1);
    expect(last?.headers.get('content-type')).toBe('application/json');
    expect(last?.headers.get('x-trace')).toBe('7');
    expect(servers.violations).toEqual([]);
  });

  it('is quiet on stderr once somebody is signed in', async () => {
    const { command } = await surroundings();
    await command('login');
    const { stdout, stderr } = await command('fetch');
    expect(stderr).toBe('');
    expect(echoOf(stdout).method).toBe('GET');
  });

  it.each([
    [['-X', 'delete'], 'DELETE', ''],
    [['-d', 'a=1', '-d', 'b=2'], 'POST', 'a=1&b=2'],
    [['-X', 'PUT', '--data', 'text'], 'PUT', 'text'],
  ])('sends %j as curl would', async (args, method, body) => {
    const { command } = await surroundings();
    const { stdout } = await command('fetch', args);
    expect(echoOf(stdout)).toMatchObject({ method, body });
  });

  it('sends a form where no content type is named, as curl does', async () => {
    const { command, servers } = await surroundings();
    await command('fetch', ['-d', 'a=1']);
    expect(servers.requestsFor('resource').at(-1)?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
  });

  it('takes the body from a file and from stdin, and sends it again after signing in', async () => {
    const { command, servers } = await surroundings();
    const file = join(await temporaryDirectory(), 'body.json');
    await writeFile(file, '{"from":"file"}\n');
    const fromFile = await command('fetch', ['-d', `@${file}`]);
    expect(echoOf(fromFile.stdout).body).toBe('{"from":"file"}\n');
    await command('logout');
    const fromStdin = await command('fetch', ['--data', '@-'], { stdin: 'from stdin' });
    expect(echoOf(fromStdin.stdout).body).toBe('from stdin');
    const bodies = servers.requestsFor('resource').map(({ body, status }) => [status, body]);
    expect(bodies.filter(([status]) => status === 401)).toHaveLength(2);
    expect(bodies.every(([, body]) => body !== '')).toBe(true);
  });

  it('lets no status line or header command the terminal (TOK-04)', async () => {
    const head = ['HTTP/1.1 200 \u001b]0;owned\u0007\u001b[31mOK', 'x-title: a\u009b2Jb', 'content-length: 2'];
    const server = createServer((socket) => socket.once('data', () => socket.end(`${head.join('\r\n')}\r\n\r\nhi`, 'latin1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { stdout } = await runCommand(['fetch', '-i', `http://127.0.0.1:${port}/mcp`, '--store', await temporaryDirectory()]);
    server.close();
    expect(stdout.split('\n')).toEqual(['HTTP 200  ]0;owned  [31mOK', 'content-length: 2', 'x-title: a 2Jb', '', 'hi']);
  });

  it('writes the body to a file with -o, and the head to stdout with -i', async () => {
    const { command } = await surroundings();
    const file = join(await temporaryDirectory(), 'answer.json');
    const { stdout } = await command('fetch', ['-i', '-o', file]);
    expect(stdout).toMatch(/^HTTP 200 OK\n/);
    expect(stdout).toContain('\ncontent-type: application/json\n');
    expect(stdout).toMatch(/\n\n$/);
    expect(echoOf(await readFile(file, 'utf8')).path).toBe('/mcp');
  });

  it('ends with 0 for any answer, and with 22 for an error status under --fail', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    servers.respond('resource', 404, { times: 2 });
    expect((await command('fetch')).exitCode).toBe(0);
    expect((await command('fetch', ['--fail'])).exitCode).toBe(22);
    expect((await command('fetch', ['--fail'])).exitCode).toBe(0);
  });

  it('ends with 5 and says why when the server is down', async () => {
    const { command, servers } = await surroundings();
    await servers.close();
    const { exitCode, stderr } = await command('fetch');
    expect(stderr).toMatch(/^✗ A server could not be reached\. The connection was refused \(ECONNREFUSED\)\.$/m);
    expect(stderr).toContain('Try again later');
    expect(exitCode).toBe(5);
  });

  it('ends with 5 when the connection is cut in the middle of a body', async () => {
    const server = createServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf of it')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { exitCode, stdout, stderr } = await runCommand(['fetch', `http://127.0.0.1:${port}/mcp`, '--store', await temporaryDirectory()]);
    server.close();
    expect(stdout).toBe('half of it');
    expect(stderr).toContain('network_unreachable');
    expect(exitCode).toBe(5);
  });

  it('passes on the pieces of a stream as they arrive, each on a line with --json', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    let sendRest: () => void = () => {};
    servers.respond(
      'resource',
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              const bytes = new TextEncoder().encode('data: ä\n\n');
              // Cut within the two bytes of ä: a piece is not a character.
              controller.enqueue(bytes.slice(0, 7));
              sendRest = () => {
                sendRest = () => {};
                controller.enqueue(bytes.slice(7));
                controller.close();
              };
            },
          }),
          { headers: { 'content-type': 'text/event-stream' } },
        ),
    );
    const { lines } = await command('fetch', ['--json'], {
      onOutput: (running) => {
        if (running.stdout.includes('"type":"body"')) sendRest();
      },
    });
    expect(lines.find(({ type }) => type === 'response')).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' } });
    const pieces = lines.filter(({ type }) => type === 'body').map(({ text }) => text);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe('data: ä\n\n');
    expect(lines.at(-1)).toMatchObject({ type: 'result', command: 'fetch', status: 200, bytes: 10 });
  });

  it('writes bytes that are no text as base64 with --json', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    servers.respond('resource', () => new Response(new Uint8Array([0, 255, 1]), { headers: { 'content-type': 'image/png' } }));
    const { lines } = await command('fetch', ['--json']);
    expect(lines.find(({ type }) => type === 'body')).toMatchObject({ base64: 'AP8B' });
  });

  it('signs in to the resource of --resource, for a URL inside it', async () => {
    const { servers, store, approving } = await surroundings();
    const { exitCode } = await runCommand(
      ['fetch', `${servers.resource.url}?page=2`, '--resource', servers.resource.url, '--store', store],
      { parts: approving },
    );
    expect(exitCode).toBe(0);
    expect(servers.requestsFor('resource').at(-1)?.url.search).toBe('?page=2');
  });

  it('refuses to send the token elsewhere, with 2', async () => {
    const { servers, store, approving } = await surroundings();
    const { exitCode, stderr } = await runCommand(
      ['fetch', 'https://elsewhere.example/', '--resource', servers.resource.url, '--store', store],
      {
        parts: approving,
      },
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain('url_outside_resource');
  });

  it('ends quietly with 141 when whoever reads the output has gone', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    servers.respond(
      'resource',
      () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) })),
    );
    const { exitCode, stderr } = await command('fetch', [], { onOutput: (running) => running.closeStdout() });
    expect(exitCode).toBe(141);
    expect(stderr).toBe('');
  });

  it('ends with 130 when it is interrupted in the middle of a body', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    servers.respond(
      'resource',
      () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10).fill(120)) })),
    );
    const { exitCode, stdout } = await command('fetch', [], {
      onOutput: (running) => {
        if (running.stdout === 'xxxxxxxxxx') running.interrupt();
      },
    });
    expect(exitCode).toBe(130);
    expect(stdout).toBe('xxxxxxxxxx');
  });

  it.each([
    [['-H', 'no colon: '.slice(0, 8)], 'A --header is written as "Name: value".'],
    [['-H', 'Bad Name: x'], '--header "Bad Name" cannot be sent.'],
    [['-X', 'GET', '-d', 'x'], 'A GET request has no body'],
    [['-d', '@/nowhere/at/all'], 'The file "/nowhere/at/all" of --data cannot be read.'],
    [['-d', '@-', '-d', '@-'], 'stdin can be read once'],
    [['-d', '@-', '--manual'], 'cannot both read stdin'],
    [['-o', '/nowhere/at/all'], 'The file of --output cannot be written.'],
  ])('refuses %j with 2', async (args, message) => {
    const { command } = await surroundings();
    const { exitCode, stderr } = await command('fetch', args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it('does not repeat the value of a header that cannot be sent (SEC-01)', async () => {
    const { command } = await surroundings();
    const { stderr } = await command('fetch', ['-H', 'X-Key: SECRET-\u0000value']);
    expect(stderr).toContain('cannot be sent');
    expect(stderr).not.toContain('SECRET-');
  });
});
