/** Streams that wait for whatever may come would hold the end of the gateway up: they end when it begins. */
import { withBodyEnd } from '../../gateway/body-end.ts';
import type { ProtectedHandler } from '../../gateway/protect-options.ts';
import { isWaitingStream } from '../../gateway/waiting-streams.ts';

/** Answers to anything else are let end by themselves. Clients come again, and meet whoever serves then. */
export function endingStreams(handler: ProtectedHandler, stopping: AbortSignal): ProtectedHandler {
  return async (request, platform) => {
    const response = await handler(request, platform);
    if (!isWaitingStream(request, response)) return response;
    return withBodyEnd(response, { onEnd: () => {}, signal: request.signal, closing: stopping, within: (work) => work() });
  };
}
