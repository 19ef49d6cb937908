/** The benchmark's table. */
import pc from 'picocolors';
import { table } from 'table';

export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly sdk: number;
  /** What of the SDK was measured. */
  readonly sdkName: string;
  /** Target: ours / SDK is at most this. */
  readonly atMost?: number;
  /** Target: ours / SDK is at least this. */
  readonly atLeast?: number;
  /** Target: ours is exactly this. */
  readonly exactly?: number;
}

export interface Judged extends Comparison {
  readonly ratio: number;
  readonly target?: string;
  readonly met?: boolean;
}

export function judge(comparison: Comparison): Judged {
  const { ours, sdk, atMost, atLeast, exactly } = comparison;
  // A difference of two times below zero is noise, and no ratio of it means anything.
  const measurable = ours > 0 && sdk > 0;
  const ratio = measurable ? ours / sdk : Number.NaN;
  // Comparisons with NaN are false: what could not be measured is not met.
  if (atMost !== undefined) return { ...comparison, ratio, target: `≤ ${atMost.toFixed(2)} ×`, met: ratio <= atMost };
  if (atLeast !== undefined) return { ...comparison, ratio, target: `≥ ${atLeast.toFixed(2)} ×`, met: ratio >= atLeast };
  if (exactly !== undefined) return { ...comparison, ratio, target: `= ${exactly}`, met: ours === exactly };
  return { ...comparison, ratio };
}

/** A figure that is held to a target of its own, and not to the SDK: it has nothing of the kind. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Target: the value is at most this. */
  readonly atMost?: number;
}

export interface JudgedFigure extends Figure {
  readonly met?: boolean;
}

export function judgeFigure(figure: Figure): JudgedFigure {
  // A difference below zero is a cost too small to be seen: met. NaN, which could not be measured, is not.
  return figure.atMost === undefined ? figure : { ...figure, met: figure.value <= figure.atMost };
}

export function figureTable(rows: readonly JudgedFigure[]): string {
  const head = ['measured', 'authchart', 'target', ''].map((title) => pc.bold(title));
  const body = rows.map(({ name, unit, value, atMost, met }) => [
    name,
    Number.isNaN(value) ? pc.yellow('not measured') : amount(value, unit),
    atMost === undefined ? pc.dim('none') : `≤ ${atMost} ${unit}`,
    verdict(met),
  ]);
  return table([head, ...body], {
    columns: { 1: { alignment: 'right' }, 2: { alignment: 'right' } },
    drawHorizontalLine: (line, count) => line <= 1 || line === count,
  });
}

export function benchTable(rows: readonly Judged[]): string {
  const head = ['measured', 'authchart', 'SDK', 'of the SDK', 'ratio', 'target', ''].map((title) => pc.bold(title));
  const body = rows.map((row) => [
    row.name,
    amount(row.ours, row.unit),
    amount(row.sdk, row.unit),
    pc.dim(row.sdkName),
    Number.isNaN(row.ratio) ? pc.yellow('noise') : `${row.ratio.toFixed(2)} ×`,
    row.target ?? pc.dim('none'),
    verdict(row.met),
  ]);
  return table([head, ...body], {
    columns: { 1: { alignment: 'right' }, 2: { alignment: 'right' }, 4: { alignment: 'right' } },
    drawHorizontalLine: (line, count) => line <= 1 || line === count,
  });
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return '';
  return met ? pc.green('✓ met') : pc.red('✗ not met');
}

function amount(value: number, unit: string): string {
  const digits = unit === '' ? 0 : Math.abs(value) < 10 ? 2 : 1;
  return `${value.toFixed(digits)} ${unit}`.trim();
}
