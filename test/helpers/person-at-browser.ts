/** A person who approves what a program asks for, once for each page, and whose browser then goes back to the program. */
import type { ScriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import type { Page, Program, ProgramEvents } from './killable-program.ts';

export interface PersonAtBrowser {
  /** Authorization pages that were opened, in order. */
  readonly opened: readonly string[];
  /** What programs showed while they waited, in order. */
  readonly shown: readonly Page[];
  /** The callback URL; the same for the same page, however often it is asked for. */
  approve(authorizationUrl: string): Promise<string>;
  /** The status of the page at the callback URL; `no answer` if nobody listens or the listener dies. */
  comeBack(callbackUrl: string): Promise<number | 'no answer'>;
  /** The page is open in the browser now. */
  see(authorizationUrl: string): void;
  /**
   * Approves and comes back, once to each program: who found nobody there tries again
   * when there is someone.
   */
  act(authorizationUrl: string, program: Program): void;
  /** What the person does when a program opens a page or waits; the `events` come in place of that. */
  watching(events: ProgramEvents): ProgramEvents;
}

export function personAtBrowser(servers: ScriptedServers): PersonAtBrowser {
  const opened: string[] = [];
  const shown: Page[] = [];
  const approved = new Map<string, Promise<string>>();
  const cameBackTo = new Set<string>();

  const approve = (authorizationUrl: string): Promise<string> => {
    const callback = approved.get(authorizationUrl) ?? servers.approve(authorizationUrl);
    approved.set(authorizationUrl, callback);
    return callback;
  };

  const comeBack = (callbackUrl: string): Promise<number | 'no answer'> =>
    fetch(callbackUrl, { headers: { connection: 'close' } }).then(
      async (response) => {
        await response.text();
        return response.status;
      },
      () => 'no answer' as const,
    );

  const act = (authorizationUrl: string, { pid }: Program): void => {
    const way = `${pid} ${authorizationUrl}`;
    if (cameBackTo.has(way)) return;
    cameBackTo.add(way);
    void approve(authorizationUrl).then(comeBack);
  };

  return {
    opened,
    shown,
    approve,
    comeBack,
    act,
    see: (authorizationUrl) => void opened.push(authorizationUrl),
    watching: ({ onOpening, onAwaitingUser, ...others }) => ({
      ...others,
      onOpening(authorizationUrl, program) {
        if (onOpening !== undefined) return onOpening(authorizationUrl, program);
        opened.push(authorizationUrl);
        act(authorizationUrl, program);
      },
      onAwaitingUser(page, program) {
        shown.push(page);
        if (onAwaitingUser !== undefined) onAwaitingUser(page, program);
        // Its page is open already, by a program that has died since: nobody can act on a page that never was.
        else if (onOpening === undefined && opened.includes(page.authorizationUrl)) act(page.authorizationUrl, program);
      },
    }),
  };
}
