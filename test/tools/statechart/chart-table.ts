/** A chart in words: every state with all it does and all that leads out of it. */
import { type ChartState, type ChartTransition, withDescendants } from './chart-model.ts';

const code = (text: string) => `\`${text}\``;
const cell = (text: string) => text.replaceAll('|', '\\|');

function triggerText({ trigger, name }: ChartTransition): string {
  if (trigger === 'done') return 'done';
  if (trigger === 'error') return 'error';
  return trigger === 'always' ? 'at once' : code(name);
}

/** Actions written inline only copy facts into the context; the named ones say what they do. */
function actionsText(actions: readonly string[]): string {
  return actions.map((action) => (action === 'xstate.assign' ? 'keeps the answer' : code(action))).join(', ');
}

function transitionRow(transition: ChartTransition): string {
  const { to, guard, actions } = transition;
  const target = to === undefined ? 'stays' : `[${code(to)}](#${anchor(to)})`;
  return `| ${[triggerText(transition), guard === undefined ? '' : code(guard), target, actionsText(actions)].map(cell).join(' | ')} |`;
}

/** Headings are found by what GitHub makes of them: lower case, without dots. */
const anchor = (path: string) => path.toLowerCase().replaceAll('.', '');

function section(state: ChartState): readonly string[] {
  const { path, description, tags, rule, actors, initial, transitions } = state;
  const facts = [
    tags.length > 0 && `Tags: ${tags.map(code).join(', ')}.`,
    rule !== undefined && `Rule: ${rule}.`,
    actors.length > 0 && `Actor: ${actors.map(code).join(', ')}.`,
    initial !== undefined && `Begins with [${code(initial)}](#${anchor(initial)}).`,
  ].filter((fact) => fact !== false);
  return [
    `${'#'.repeat(Math.min(path.split('.').length + 1, 4))} ${path}`,
    '',
    description,
    '',
    ...(facts.length > 0 ? [facts.join(' '), ''] : []),
    ...(transitions.length > 0 ? ['| on | if | goes to | and |', '|---|---|---|---|', ...transitions.map(transitionRow), ''] : []),
  ];
}

/** @param picture name of the file beside it that shows the same */
export function chartAsMarkdown(root: ChartState, picture: string): string {
  const states = withDescendants(root).slice(1);
  return [
    `# The ${root.key} chart, state by state`,
    '',
    root.description,
    '',
    `Generated from the code by \`npm run docs\`. The same as one picture: [${picture}](${picture}).`,
    'Of several transitions with the same trigger, the first whose condition holds is taken.',
    '',
    ...states.flatMap(section),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}
