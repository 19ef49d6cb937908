/** The least that an MCP server answers to a client which connects: cheap, so that the flow is measured and not the server. */
import type { RecordedRequest } from '../fixtures/scripted/recording.ts';

export function answerMcp(request: RecordedRequest): Response {
  if (request.method !== 'POST') return new Response(null, { status: 405 });
  const { id, method } = JSON.parse(request.body) as { id?: number; method?: string };
  if (method === 'initialize') {
    const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'bench', version: '1.0.0' } };
    return Response.json({ jsonrpc: '2.0', id, result });
  }
  return method === undefined ? Response.json({}) : new Response(null, { status: 202 });
}
