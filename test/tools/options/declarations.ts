/** What a file exports, with the words and types that users of it see, read from the code by a parser. */
import { readFileSync } from 'node:fs';
import { type Comment, type Node, type ParamPattern, type Program, parseSync, type TSSignature, Visitor } from 'oxc-parser';
import { type Docstring, forUsers, readDocstring } from './docstring.ts';

export interface Member {
  /** Of a method with its parameters. */
  readonly name: string;
  readonly isOptional: boolean;
  /** On one line; of a method what it returns. */
  readonly type: string;
  readonly docstring: Docstring;
}

export interface Declaration {
  readonly docstring: Docstring;
  /** Of an interface. */
  readonly members: readonly Member[];
  /** As it is written, without `readonly`, which says little to those who call. */
  readonly source: string;
}

interface File {
  readonly source: string;
  readonly comments: readonly Comment[];
  readonly shorter: readonly Shorter[];
}

/** What stands for a part of a type where there is little room. */
interface Shorter {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** By name. Of overloads the first, which is the one with the words. */
export function readDeclarations(path: string): ReadonlyMap<string, Declaration> {
  const source = readFileSync(path, 'utf8');
  const { program, comments, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  const file = { source, comments, shorter: shorterTypes(program) };
  const found = new Map<string, Declaration>();
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) continue;
    const { declaration } = node;
    const name = 'id' in declaration && declaration.id?.type === 'Identifier' ? declaration.id.name : undefined;
    if (name === undefined || found.has(name)) continue;
    const signatures = declaration.type === 'TSInterfaceDeclaration' ? declaration.body.body : [];
    found.set(name, {
      docstring: docstringBefore(node, file),
      members: signatures.flatMap((signature) => memberOf(signature, file)),
      source: forUsers(source.slice(declaration.start, declaration.end)).replaceAll('readonly ', ''),
    });
  }
  return found;
}

function docstringBefore({ start }: Node, { source, comments }: File): Docstring {
  const before = comments.findLast((comment) => comment.end <= start && source.slice(comment.end, start).trim() === '');
  return readDocstring(before?.type === 'Block' && before.value.startsWith('*') ? before.value : '');
}

function memberOf(signature: TSSignature, file: File): readonly Member[] {
  const docstring = docstringBefore(signature, file);
  if (signature.type === 'TSPropertySignature' && signature.key.type === 'Identifier') {
    const { key, optional, typeAnnotation } = signature;
    return [{ name: key.name, isOptional: optional, type: typeText(typeAnnotation?.typeAnnotation, file), docstring }];
  }
  if (signature.type === 'TSMethodSignature' && signature.key.type === 'Identifier') {
    const { key, optional, params, returnType } = signature;
    const name = `${key.name}(${params.map(parameter).join(', ')})`;
    return [{ name, isOptional: optional, type: typeText(returnType?.typeAnnotation, file), docstring }];
  }
  return [];
}

const parameter = (param: ParamPattern): string => (param.type === 'Identifier' ? optionally(param.name, param.optional) : 'options');

const optionally = (name: string, isOptional: boolean | undefined): string => (isOptional === true ? `${name}?` : name);

function typeText(type: Node | undefined, { source, shorter }: File): string {
  if (type === undefined) return 'unknown';
  const within = shorter.filter(({ start, end }) => type.start <= start && end <= type.end);
  const outermost = within.filter((one) => !within.some((other) => other !== one && other.start <= one.start && one.end <= other.end));
  let text = source.slice(type.start, type.end);
  for (const { start, end, text: short } of outermost.toSorted((a, b) => b.start - a.start)) {
    text = text.slice(0, start - type.start) + short + text.slice(end - type.start);
  }
  return text
    .replaceAll('readonly ', '')
    .replaceAll(/\s+/g, ' ')
    .replace(/^\| /, '')
    .replace(/^Readonly<(.*)>$/, '$1');
}

/** Of objects the names of their members, of functions those of their parameters. */
function shorterTypes(program: Program): readonly Shorter[] {
  const found: Shorter[] = [];
  new Visitor({
    TSTypeLiteral({ members, start, end }) {
      const names = members.flatMap((member) =>
        member.type === 'TSPropertySignature' && member.key.type === 'Identifier' ? [optionally(member.key.name, member.optional)] : [],
      );
      found.push({ start, end, text: `{ ${names.join(', ')} }` });
    },
    TSFunctionType({ params }) {
      for (const param of params) found.push({ start: param.start, end: param.end, text: parameter(param) });
    },
  }).visit(program);
  return found;
}
