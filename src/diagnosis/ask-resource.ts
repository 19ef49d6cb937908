/** Asks the resource as a client without an access token would, until an answer says whether it wants one. */
import { challengeFacts } from '../protocol/challenge.ts';
import type { ChallengeFacts, Probe } from '../protocol/documents.ts';
import { withoutQuery } from '../protocol/endpoint-url.ts';
import type { Http, HttpRequest } from '../protocol/http.ts';
import { type Examination, failureIn, unavailableProbe } from './examination.ts';
import { type Finding, ofChallenge, ofFailure } from './findings.ts';

const RULE = 'MCP: Streamable HTTP';
const TO_RESOURCE = { phase: 'resource-metadata', purpose: 'resource-metadata', discardBody: true } as const;
const error = (text: string): Finding => ({ level: 'error', rule: RULE, text });

export type Demand =
  /** 401, or 403. */
  | { readonly demand: 'token'; readonly challenge?: ChallengeFacts }
  /** An MCP answer to a request without a token. */
  | { readonly demand: 'none' }
  /** It answered in some other way. */
  | { readonly demand: 'unclear' }
  | { readonly demand: 'unreachable' };

export interface AskedResource {
  readonly demand: Demand;
  readonly probes: readonly Probe[];
  readonly findings: readonly Finding[];
}

type Question = Pick<HttpRequest, 'method' | 'headers' | 'body'>;

/** The request of the newest revision, the handshake of those before, the stream of those before that. */
function questions(protocolVersion: string): readonly Question[] {
  const clientInfo = { name: 'authchart', version: '0' };
  const post = (method: string, params: object): Question => ({
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': protocolVersion,
      'mcp-method': method,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return [
    post('server/discover', {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': protocolVersion,
        'io.modelcontextprotocol/clientInfo': clientInfo,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    }),
    post('initialize', { protocolVersion, capabilities: {}, clientInfo }),
    { method: 'GET', headers: { accept: 'text/event-stream' } },
  ];
}

type Asking = Pick<Examination, 'resource' | 'protocolVersion' | 'now' | 'signal'>;

export async function askResource(http: Http, asking: Asking): Promise<AskedResource> {
  const probes: Probe[] = [];
  for (const question of questions(asking.protocolVersion)) {
    const { probe, conclusion } = await ask(http, asking, question);
    probes.push(probe);
    if (conclusion !== undefined) return { ...conclusion, probes };
  }
  const statuses = [...new Set(probes.map((probe) => probe.status))].join(', ');
  return {
    demand: { demand: 'unclear' },
    probes,
    findings: [
      error(`The resource neither asks for an access token nor answers an MCP request (${statuses}). Is the URL that of the MCP endpoint?`),
    ],
  };
}

type Conclusion = Pick<AskedResource, 'demand' | 'findings'>;

/** Without a conclusion the next question may bring one: what one revision refuses another may know. */
async function ask(http: Http, asking: Asking, question: Question): Promise<{ readonly probe: Probe; readonly conclusion?: Conclusion }> {
  const { resource, now, signal } = asking;
  const startedAt = now();
  let response: Response;
  try {
    response = await http(resource, { ...question, ...TO_RESOURCE, ...(signal && { signal }) });
  } catch (thrown) {
    const { failure } = failureIn(thrown);
    const demand = failure.code === 'redirect_refused' ? 'unclear' : 'unreachable';
    return {
      probe: unavailableProbe('resource', resource, failure, now() - startedAt),
      conclusion: { demand: { demand }, findings: [{ ...ofFailure(failure), rule: RULE }] },
    };
  }
  const { status, headers } = response;
  const probe = (verdict: Probe['verdict'], reason?: string): Probe => ({
    document: 'resource',
    url: withoutQuery(resource),
    status,
    durationMs: now() - startedAt,
    verdict,
    ...(reason !== undefined && { reason }),
  });
  if (status === 401 || status === 403) {
    const challenge = challengeFacts(headers);
    return {
      probe: challenge === undefined ? probe('absent', 'It has no challenge.') : probe('found'),
      conclusion: { demand: { demand: 'token', ...(challenge && { challenge }) }, findings: ofChallenge(status, challenge) },
    };
  }
  if (isMcpAnswer(question, response)) {
    await endSession(http, asking, headers);
    return { probe: probe('absent', 'It answers without an access token.'), conclusion: { demand: { demand: 'none' }, findings: [] } };
  }
  if (status < 500) return { probe: probe('absent', `It answered ${status}.`) };
  const finding = error(`The resource answered ${status}, so that nobody can tell what it asks of clients.`);
  return { probe: probe('unavailable', `It answered ${status}.`), conclusion: { demand: { demand: 'unclear' }, findings: [finding] } };
}

/** Any web page answers 200 to a GET; MCP answers with JSON or a stream. */
function isMcpAnswer(question: Question, response: Response): boolean {
  const type = response.headers.get('content-type') ?? '';
  return response.ok && (question.method === 'GET' ? /^text\/event-stream/i : /^(text\/event-stream|application\/json)/i).test(type);
}

/** An open server of an earlier revision has begun a session for us: it need not keep it. */
async function endSession(http: Http, { resource, signal }: Asking, headers: Headers): Promise<void> {
  const session = headers.get('mcp-session-id');
  if (session === null) return;
  const request: Question = { method: 'DELETE', headers: { 'mcp-session-id': session } };
  await http(resource, { ...request, ...TO_RESOURCE, ...(signal && { signal }) }).catch(() => {
    // Sessions end by themselves too.
  });
}
