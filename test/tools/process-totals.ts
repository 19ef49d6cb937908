/** A Vitest reporter: what the tests that kill and crowd real processes came to, as two tables at the end of a run. */
import { table } from 'table';
import type { Reporter, TestModule } from 'vitest/node';
import type { KillOutcome, TogetherOutcome } from '../helpers/kill-totals.ts';

type Row = readonly (string | number)[];

export class ProcessTotals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const metas = modules.flatMap((module) => [...module.children.allTests()]).map((test) => test.meta());
    const killed = metas.flatMap(({ killed: one }) => one ?? []);
    const recovered = metas.flatMap(({ recovered: one }) => one ?? []);
    const crowds = metas.flatMap(({ together }) => together ?? []);
    if (killed.length > 0) console.log(titled('Processes killed and started again', killTable(killed, recovered)));
    if (crowds.length > 0) console.log(titled('Processes at once', crowdTable(crowds)));
  }
}

type Killed = Pick<KillOutcome, 'flow' | 'store'>;

const sameAs =
  ({ flow, store }: Killed) =>
  (other: Killed): boolean =>
    other.flow === flow && other.store === store;

function killTable(killed: readonly Killed[], recovered: readonly KillOutcome[]): readonly Row[] {
  const kinds = killed.filter((one, index) => killed.findIndex(sameAs(one)) === index);
  const row = (name: string, store: string, points: number, of: readonly KillOutcome[]): Row => {
    const all = (count: (one: KillOutcome) => number): number => of.reduce((total, one) => total + count(one), 0);
    return [
      name,
      store,
      points,
      of.length,
      all(({ askedAgain }) => askedAgain),
      all(({ orphans }) => orphans),
      all(({ codesSentTwice }) => codesSentTwice),
      all(({ refreshTokensSentTwice }) => refreshTokensSentTwice),
      seconds(Math.max(0, ...of.map(({ recoveryMs }) => recoveryMs))),
    ];
  };
  return [
    [
      'killed during',
      'store',
      'points',
      'recovered',
      'asked again',
      'orphans',
      'codes reused',
      'refresh tokens reused',
      'slowest recovery',
    ],
    ...kinds.map((kind) => row(kind.flow, kind.store, killed.filter(sameAs(kind)).length, recovered.filter(sameAs(kind)))),
    row('all', '', killed.length, recovered),
  ];
}

function crowdTable(crowds: readonly TogetherOutcome[]): readonly Row[] {
  return [
    ['situation', 'store', 'processes', 'answered', 'approvals', 'registrations', 'refreshes', 'all answered after'],
    ...crowds.map(({ situation, store, processes, answered, approvals, registrations, refreshes, slowestMs }) => [
      situation,
      store,
      processes,
      answered,
      approvals,
      registrations,
      refreshes,
      seconds(slowestMs),
    ]),
  ];
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function titled(title: string, rows: readonly Row[]): string {
  return `\n${title}\n${table(
    rows.map((row) => [...row]),
    { drawHorizontalLine: (line, lines) => line === 1 || line === lines, drawVerticalLine: () => false },
  )}`;
}
