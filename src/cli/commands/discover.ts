import type { Diagnosis } from '../../diagnosis.ts';
import { parseResource } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { diagnosisText } from '../report/diagnosis-text.ts';

/** Looks at every document of a resource (OBS-05). Signs nobody in and stores nothing. */
export async function discover({ parts, reporter, signal }: CommandContext, resource: string): Promise<ExitCode> {
  const url = parseResource(resource);
  const diagnosis = await parts.discover({ resource: url.href, clock: parts.clock, signal });
  reporter.result('discover', { ...diagnosis }, (style) => diagnosisText(diagnosis, style));
  return exitCodeOfVerdict(diagnosis.verdict);
}

function exitCodeOfVerdict(verdict: Diagnosis['verdict']): ExitCode {
  return verdict === 'broken' ? EXIT_CODES.serverAtFault : EXIT_CODES.ok;
}
