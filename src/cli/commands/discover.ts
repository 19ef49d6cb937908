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

function exitCodeOf({ verdict, probes }: Diagnosis): ExitCode {
  if (verdict !== 'broken') return EXIT_CODES.ok;
  // Nobody who answered is at fault where nobody answered.
  const isDown = probes.length > 0 && probes.every((probe) => probe.verdict === 'unavailable');
  return isDown ? EXIT_CODES.tryLater : EXIT_CODES.serverAtFault;
}
