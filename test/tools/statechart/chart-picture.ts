/** Lays a chart out with Graphviz (as WebAssembly: no program to install, the same picture everywhere). */
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { chartAsDot } from './chart-dot.ts';
import { FONT } from './chart-looks.ts';
import type { ChartState } from './chart-model.ts';
import { escaped } from './dot-text.ts';

/** The picture as SVG; its states have the ids `state-<path>` and their tags as classes. */
export async function chartAsSvg(root: ChartState): Promise<string> {
  const graphviz = await Graphviz.load();
  const drawn = graphviz.dot(chartAsDot(root), 'svg');
  const body = drawn.slice(drawn.indexOf('<svg'));
  return `${body
    .replace('<svg ', '<svg role="img" ')
    .replace(/<title>[^<]*<\/title>/, `<title>${escaped(root.key)}</title>\n<desc>${escaped(root.description)}</desc>`)
    // Only the first title is for people; the others would show Graphviz's names as tooltips.
    .replace(/(<desc>[\s\S]*)/, (rest) => rest.replace(/<title>[^<]*<\/title>\n/g, ''))
    .replaceAll(`font-family="${FONT}"`, `font-family="${FONT},Arial,sans-serif"`)
    .trimEnd()}\n`;
}
