import { describe, expect, it } from 'vitest';
import { directionProblems } from './import-directions.ts';
import { importsOf, type ModuleGraph } from './module-graph.ts';

/** A graph of made-up files, read like the real ones. */
function graphOf(files: Readonly<Record<string, string>>): ModuleGraph {
  return new Map(Object.entries(files).map(([path, source]) => [path, importsOf(path, source)]));
}

describe('import directions', () => {
  it('let a chart import types of the source, but no values', () => {
    const status = { 'src/status.ts': 'export interface Status {}; export const value = 1;' };
    const types = graphOf({ 'machines/chart.ts': "import type { Status } from '../src/status.ts';", ...status });
    const values = graphOf({ 'machines/chart.ts': "import { value } from '../src/status.ts';", ...status });
    expect(directionProblems(types)).toEqual([]);
    expect(directionProblems(values)).toEqual(['machines/chart.ts:1 machines may not import src/status.ts.']);
  });

  it('keep XState out of the protocol', () => {
    const graph = graphOf({ 'src/protocol/pkce.ts': "\nimport { assign } from 'xstate';" });
    expect(directionProblems(graph)).toEqual(['src/protocol/pkce.ts:2 protocol may not import xstate.']);
  });

  it('keep the command line to itself', () => {
    const graph = graphOf({ 'src/client.ts': "export { run } from './cli/run.ts';", 'src/cli/run.ts': 'export const run = 1;' });
    expect(directionProblems(graph)).toEqual(['src/client.ts:1 client may not import src/cli/run.ts.']);
  });

  it('leave the gateway to the command line', () => {
    const gateway = {
      'src/gateway/protect.ts': 'export const protect = 1;',
      'src/gateway.ts': "export { protect } from './gateway/protect.ts';",
    };
    const command = graphOf({ 'src/cli/gateway.ts': "import { protect } from '../gateway.ts';", ...gateway });
    const client = graphOf({ 'src/client.ts': "import { protect } from './gateway.ts';", ...gateway });
    const host = graphOf({ 'src/host/host.ts': "import { protect } from '../gateway/protect.ts';", ...gateway });
    expect(directionProblems(command)).toEqual([]);
    expect(directionProblems(client)).toEqual(['src/client.ts:1 client may not import src/gateway.ts.']);
    expect(directionProblems(host)).toEqual(['src/host/host.ts:1 host may not import src/gateway/protect.ts.']);
  });

  it('find the way by which the core would need Node', () => {
    const graph = graphOf({
      'src/index.ts': "export { open } from './client.ts';",
      'src/client.ts': "export const open = async () => import('node:fs');",
    });
    expect(directionProblems(graph)).toEqual(['src/index.ts must run without Node, but: src/index.ts → src/client.ts → node:fs.']);
  });

  it('allow no cycle of values', () => {
    const graph = graphOf({ 'src/a.ts': "import './b.ts';", 'src/b.ts': "import './a.ts';" });
    expect(directionProblems(graph)).toEqual(['Import cycle: src/a.ts → src/b.ts → src/a.ts.']);
  });

  it('ask for a layer for every new folder, and for files that exist', () => {
    const graph = graphOf({ 'src/viewer/page.ts': '', 'src/client.ts': "import './nowhere.ts';" });
    expect(directionProblems(graph)).toEqual([
      'src/viewer/page.ts belongs to no layer; add its folder to test/tools/import-directions.ts.',
      'src/client.ts:1 src/nowhere.ts does not exist.',
    ]);
  });
});
