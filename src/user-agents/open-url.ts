/** Gives the system a URL to open (SEC-06): checked by `url-to-open.ts`, and never through a shell. */
import { urlToOpen } from './url-to-open.ts';

/** Opens a URL in a browser; rejects if that could not be started. */
export type OpenUrl = (url: string) => Promise<void>;

/** Opens the system's browser by the `open` package, which starts a program with an argument list. */
export const openInBrowser: OpenUrl = async (url) => {
  const { default: open } = await import('open');
  await open(urlToOpen(url));
};
