import { askingForClient } from '../ask-for-client.ts';
import { withClient } from '../client-setup.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { asNetworkFailure } from '../network-failure.ts';
import { readRequest } from '../request-options.ts';
import { writeResponse } from '../response-output.ts';

export interface FetchOptions {
  readonly method?: string;
  readonly header?: readonly string[];
  readonly data?: readonly string[];
  readonly output?: string;
  readonly include?: boolean;
  readonly fail?: boolean;
  readonly resource?: string;
}

/** Sends one request with the access token and streams the answer. */
export async function fetchCommand(context: CommandContext, address: string, options: FetchOptions): Promise<ExitCode> {
  const url = parseResource(address);
  const resource = options.resource === undefined ? withoutQuery(url) : parseResource(options.resource);
  const request = await readRequest(context, options);
  return withClient(context, { resource, signsIn: true }, async (client) => {
    try {
      const response = await askingForClient(context, client, () => client.fetch(url, { ...request, signal: context.signal }));
      await writeResponse(context, response, options);
      return options.fail === true && response.status >= 400 ? EXIT_CODES.httpError : EXIT_CODES.ok;
    } catch (thrown) {
      throw asNetworkFailure(thrown, url);
    }
  });
}

function withoutQuery(url: URL): URL {
  const resource = new URL(url);
  resource.search = '';
  resource.hash = '';
  return resource;
}
