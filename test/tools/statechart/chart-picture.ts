/** Lays a chart out with Graphviz (as WebAssembly: no program to install, the same picture everywhere). */
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { chartAsDot } from './chart-dot.ts';
import { FONTS, MEASURED_FONT } from './chart-looks.ts';
import type { ChartState } from './chart-model.ts';
import { escaped } from './dot-text.ts';

/** The picture as SVG; its states have the ids `state-<path>` and their tags as classes. */
export async function chartAsSvg(root: ChartState): Promise<string> {
  const graphviz = await Graphviz.load();
  const drawn = graphviz.dot(chartAsDot(root), 'svg');
  const svg = drawn
    .slice(drawn.indexOf('<svg'))
    .replaceAll(/<!--[\s\S]*?-->\n/g, '')
    // Names of nodes, which browsers would show as tooltips.
    .replaceAll(/<title>[^<]*<\/title>\n/g, '')
    .replaceAll('&#45;', '-')
    .replaceAll(`font-family="${MEASURED_FONT}"`, `font-family="${FONTS}"`)
    .trimEnd();
  const heading = `<title>${escaped(root.key)}</title>\n<desc>${escaped(root.description)}</desc>`;
  return `${svg.replace(/<svg ([^>]*)>/, (_, values) => `<svg role="img" ${values}>\n${heading}`)}\n`;
}
