/**
 * For machines without a browser: shows the URL, and takes the address the
 * browser was sent to, pasted by the user.
 */
import type { Readable, Writable } from 'node:stream';
import { FailureError } from '../failure.ts';
import type { RedirectRequest, RedirectTarget, UserAgent } from './contract.ts';
import { readPasted } from './pasted-callback.ts';
import { readLines } from './read-lines.ts';
import { urlToOpen } from './url-to-open.ts';

export interface ManualOptions {
  /** Where the user pastes. Default: `process.stdin`. */
  readonly input?: Readable;
  /** Where instructions go. Default: `process.stderr`, so that results on stdout stay clean. */
  readonly output?: Writable;
}

/**
 * A user agent that talks to the user by text.
 *
 * `open` fails with `redirect_unavailable` if there is no redirect URI to use;
 * `present` resolves once the URL is shown and fails with `url_refused` for what
 * is not an http(s) URL. A paste that is refused is explained and asked for again.
 */
export function manual(options: ManualOptions = {}): UserAgent {
  const input = options.input ?? process.stdin;
  const output = options.output ?? process.stderr;
  const say = (text: string): void => void output.write(`${text}\n`);

  return {
    async open(request: RedirectRequest): Promise<RedirectTarget> {
      const redirectUri = request.preferredRedirectUri ?? request.redirectUris[0];
      if (redirectUri === undefined) {
        throw new FailureError('redirect_unavailable', 'authorization', { reason: 'The client metadata names no redirect URI.' });
      }
      let reading: AbortController | undefined;
      const stop = (): void => reading?.abort();

      /** False if there was nothing more to read. */
      const read = async (signal: AbortSignal): Promise<boolean> => {
        for await (const line of readLines(input, signal)) {
          const pasted = readPasted(line, redirectUri);
          if (pasted.kind === 'empty') continue;
          if (pasted.kind === 'refused') {
            say(`\n${pasted.why}\nPaste again:`);
            continue;
          }
          const outcome = await request.deliver(pasted.callbackUrl);
          if (outcome.accepted) return true;
          say(`\n${outcome.failure.message} ${outcome.failure.advice}\nPaste again:`);
        }
        return false;
      };

      return {
        redirectUri,
        async present({ authorizationUrl, signal }) {
          signal.throwIfAborted();
          const url = urlToOpen(authorizationUrl);
          say(`\nOpen this address in a browser, on any device:\n\n${url}\n`);
          say('Approve there. The browser then goes to an address that begins with');
          say(`${redirectUri}`);
          say('and may say that it cannot show the page. That is as it should be.');
          say('Copy the whole address from its address bar and paste it here:');
          stop();
          const controller = new AbortController();
          reading = controller;
          signal.addEventListener('abort', stop, { once: true });
          void read(controller.signal)
            .then((accepted) => {
              if (!accepted && !controller.signal.aborted) say('\nThe input has ended: nothing can be pasted here any more.');
            })
            .catch(() => say('The input could not be read.'))
            .finally(() => signal.removeEventListener('abort', stop));
        },
        async close() {
          stop();
        },
      };
    },
  };
}
