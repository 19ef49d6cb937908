/** Streams that wait for whatever may come (`GET` of MCP) would hold the end of the gateway up: they end when it begins. */
import { withBodyEnd } from '../../gateway/body-end.ts';
import type { ProtectedHandler } from '../../gateway/protect-options.ts';

/** Answers to anything else are let end by themselves. */
export function endingStreams(handler: ProtectedHandler, stopping: AbortSignal): ProtectedHandler {
  return async (request, platform) => {
    const response = await handler(request, platform);
    const isStream = request.method === 'GET' && response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    return isStream && response.body !== null ? untilStopping(request, response, stopping) : response;
  };
}

/** A proper end, and not a connection that breaks: clients come again, and meet whoever serves then. */
function untilStopping(request: Request, response: Response, stopping: AbortSignal): Response {
  let terminate = (): void => {};
  const passing = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    start(controller) {
      terminate = () => controller.terminate();
    },
  });
  const stop = (): void => terminate();
  if (stopping.aborted) stop();
  else stopping.addEventListener('abort', stop, { once: true });
  return withBodyEnd(new Response(response.body?.pipeThrough(passing), response), {
    onEnd: () => stopping.removeEventListener('abort', stop),
    signal: request.signal,
    within: (work) => work(),
  });
}
