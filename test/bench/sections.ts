/** What is measured, each beside the SDK in the same run. */
import { withOAuth } from '@modelcontextprotocol/client';
import type { FetchLike } from '../../src/options.ts';
import { type ScriptedServers, scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { MemoryProvider } from '../helpers/sdk-memory-provider.ts';
import { bundleSize } from './bundle-size.ts';
import { importTimes } from './import-time.ts';
import { answerMcp } from './mcp-answers.ts';
import { heapPerItem, timePerOperation } from './measure.ts';
import { authorizedClient, type BuiltPackage, ourFlow, ourTransportFlow, waitingClient } from './our-client.ts';
import type { Comparison } from './report.ts';
import { sdkFlow, sdkTransportFlow, sdkTransportUntilUser, sdkUntilUser } from './sdk-client.ts';

const SDK = '@modelcontextprotocol/client';
const CLIENT_METADATA_URL = 'https://app.example.com/client.json';

/** How thorough: the default takes about a minute. */
export interface Effort {
  readonly importRounds: number;
  readonly requestRounds: number;
  readonly requestsPerRound: number;
  readonly protectedRounds: number;
  readonly flowRounds: number;
  readonly flowsPerRound: number;
  readonly waitingFlows: number;
}

function quietServers(more: Parameters<typeof scriptedServers>[0] = {}): ScriptedServers {
  return scriptedServers({ record: false, ...more, resource: { answer: answerMcp, ...more.resource } });
}

export async function compareSize(entry: string): Promise<readonly Comparison[]> {
  const rows: Comparison[] = [];
  for (const platform of ['node', 'browser'] as const) {
    const ours = await bundleSize(entry, ['createAuthorizationClient', 'memoryStore'], platform);
    const sdk = await bundleSize(SDK, ['auth'], platform);
    const sides = (bytes: 'gzippedBytes' | 'minifiedBytes'): Pick<Comparison, 'ours' | 'sdk' | 'unit' | 'sdkName'> => ({
      ours: ours[bytes] / 1000,
      sdk: sdk[bytes] / 1000,
      unit: 'kB',
      sdkName: 'auth',
    });
    rows.push(
      { name: `bundle of the interactive flow for ${platform}, min + gzip`, ...sides('gzippedBytes'), atMost: 0.55 },
      { name: `the same for ${platform}, min`, ...sides('minifiedBytes') },
    );
  }
  return rows;
}

export async function compareImport(entry: string, effort: Effort): Promise<readonly Comparison[]> {
  const [ours = Number.NaN, sdk = Number.NaN] = await importTimes([entry, SDK], effort.importRounds);
  return [{ name: 'import in a fresh process', unit: 'ms', ours, sdk, sdkName: 'client entry', atMost: 0.5 }];
}

export async function compareRequests(built: BuiltPackage, effort: Effort): Promise<readonly Comparison[]> {
  const servers = quietServers();
  const { url } = servers.resource;
  const bare: FetchLike = async () => new Response('{}');
  const client = await authorizedClient(built, servers, bare);
  // The same step in between as in `authorizedClient`.
  const sdk = withOAuth(await sdkFlow(servers), url)((input, init) => bare(input, init));
  // What the transport sends: a body and a few headers.
  const init = (): RequestInit => ({
    method: 'POST',
    headers: new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' }),
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });
  const contenders = [
    { name: 'bare', run: () => bare(url, init()) },
    { name: 'ours', run: () => client.fetch(url, init()) },
    { name: 'sdk', run: () => sdk(url, init()) },
  ];
  const times = await timePerOperation(contenders, { rounds: effort.requestRounds, operations: effort.requestsPerRound });
  await client.close();
  const overhead = (name: string): number => ((times.get(name) ?? Number.NaN) - (times.get('bare') ?? Number.NaN)) * 1000;
  const name = 'authorised request, over a bare in-process fetch';
  return [{ name, unit: 'µs', ours: overhead('ours'), sdk: overhead('sdk'), sdkName: 'withOAuth', atMost: 1 }];
}

export async function compareFlows(built: BuiltPackage, effort: Effort): Promise<readonly Comparison[]> {
  const contenders = [
    { name: 'ours', run: () => ourFlow(built, quietServers()) },
    { name: 'auth', run: () => sdkFlow(quietServers()) },
    { name: 'ours with transport', run: () => ourTransportFlow(built, quietServers()) },
    { name: 'transport', run: () => sdkTransportFlow(quietServers()) },
  ];
  const times = await timePerOperation(contenders, { rounds: effort.flowRounds, operations: effort.flowsPerRound });
  const perSecond = (name: string): number => 1000 / (times.get(name) ?? Number.NaN);
  return [
    {
      name: "whole flows, through the SDK's client and transport",
      unit: '/s',
      ours: perSecond('ours with transport'),
      sdk: perSecond('transport'),
      sdkName: 'client, transport, authProvider',
      atLeast: 1,
    },
    {
      name: 'whole flows, journal included',
      unit: '/s',
      ours: perSecond('ours'),
      sdk: perSecond('auth'),
      sdkName: 'bare auth()',
      atLeast: 0.5,
    },
  ];
}

/** Requests from the first call to its authorised answer. */
export async function compareWire(built: BuiltPackage): Promise<readonly Comparison[]> {
  const count = async (flow: (servers: ScriptedServers) => Promise<unknown>, metadataDocuments: boolean): Promise<number> => {
    const servers = scriptedServers({ resource: { answer: answerMcp }, authorizationServer: { metadataDocuments } });
    await flow(servers);
    return servers.wire().indexOf('POST /mcp 200') + 1;
  };
  return [
    {
      name: 'requests on the wire, with registration',
      unit: '',
      ours: await count((servers) => ourFlow(built, servers), false),
      sdk: await count((servers) => sdkTransportFlow(servers), false),
      sdkName: 'client, transport, authProvider',
      exactly: 6,
    },
    {
      name: 'requests on the wire, with a client ID metadata document',
      unit: '',
      ours: await count((servers) => ourFlow(built, servers, CLIENT_METADATA_URL), true),
      sdk: await count((servers) => sdkTransportFlow(servers, CLIENT_METADATA_URL), true),
      sdkName: 'client, transport, authProvider',
      exactly: 5,
    },
  ];
}

export async function compareHeap(built: BuiltPackage, effort: Effort): Promise<readonly Comparison[]> {
  // With a metadata document the servers remember nothing of a flow that only waits.
  const servers = quietServers({ authorizationServer: { metadataDocuments: true } });
  const count = effort.waitingFlows;
  const ours = await heapPerItem(
    count,
    () => waitingClient(built, servers, CLIENT_METADATA_URL),
    (client) => client.close(),
  );
  const transport = await heapPerItem(count, () => sdkTransportUntilUser(servers, CLIENT_METADATA_URL));
  const bare = await heapPerItem(count, async () => {
    const provider = new MemoryProvider({ clientMetadataUrl: CLIENT_METADATA_URL });
    await sdkUntilUser(servers, provider);
    return provider;
  });
  const row = { name: 'heap of a flow that waits for its user', unit: 'kB', ours: ours / 1000 };
  return [
    { ...row, sdk: transport / 1000, sdkName: 'transport, authProvider' },
    { ...row, sdk: bare / 1000, sdkName: 'bare auth()' },
  ];
}
