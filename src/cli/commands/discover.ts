import type { Diagnosis } from '../../diagnosis.ts';
import { parseResource, serverUrls } from '../common-options.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { diagnosisText } from '../report/diagnosis-text.ts';

/** Looks at every document of a resource (OBS-05). Signs nobody in and stores nothing. */
export async function discover({ parts, reporter, options, signal }: CommandContext, resource: string): Promise<ExitCode> {
  const url = parseResource(resource);
  const diagnosis = await parts.discover({ resource: url.href, clock: parts.clock, signal, ...serverUrls(options) });
  reporter.result('discover', { ...diagnosis }, (style) => diagnosisText(diagnosis, style));
  return exitCodeOf(diagnosis);
}

function exitCodeOf({ verdict }: Diagnosis): ExitCode {
  if (verdict === 'unavailable') return EXIT_CODES.tryLater;
  return verdict === 'broken' ? EXIT_CODES.serverAtFault : EXIT_CODES.ok;
}
