/** A record in every state of disrepair that JSON allows. */
import type { JsonObject, JsonValue } from '../../src/stores/contract.ts';

const WRONG: readonly JsonValue[] = [null, 7, { issuer: 7 }];

/** Every place in the value, as a path; of a list, the first. */
function placesIn(value: JsonValue, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members = Object.entries(value).filter(([name]) => !Array.isArray(value) || name === '0');
  return [path, ...members.flatMap(([name, member]) => placesIn(member as JsonValue, [...path, name]))];
}

/** The value with something else at the path; `undefined` leaves it out. */
function changed(value: unknown, [name, ...rest]: readonly string[], to: JsonValue | undefined): unknown {
  if (name === undefined) return to;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) };
  copy[name] = changed(copy[name], rest, to);
  return copy;
}

const LEVELS = 4_000;
const deep = `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`;
const LEAF = 'a leaf';

/** The record as JSON, damaged as a whole and at every place in it. */
export function damages(value: JsonObject): readonly (readonly [what: string, text: string])[] {
  const whole = JSON.stringify(value);
  const version = 'format' in value ? 'format' : 'version';
  const withMember = (name: string, text: string): string => `${whole.slice(0, -1)},${JSON.stringify(name)}:${text}}`;
  const places = placesIn(value).filter((path) => path.length > 0);
  return [
    ['is empty', '{}'],
    ['is foreign', '{"name":"left-pad","version":"1.0.0"}'],
    ['is newer', withMember(version, '2')],
    ['is newer than numbers go', withMember(version, '9007199254740993')],
    ['is older than the oldest', withMember(version, '0')],
    ['has its version in words', withMember(version, '"1"')],
    ['brings a prototype', withMember('__proto__', '{"format":1,"version":1,"issuer":"https://evil.example.com"}')],
    ['brings a constructor', withMember('constructor', '{"prototype":{"issuer":"https://evil.example.com"}}')],
    ['is huge', withMember('more', JSON.stringify('x'.repeat(1_000_000)))],
    ['is deep', withMember('more', deep)],
    ...places.map(
      (path) => [`is deep at ${path.join('.')}`, JSON.stringify(changed(value, path, LEAF)).replace(`"${LEAF}"`, deep)] as const,
    ),
    ...places.flatMap((path) =>
      [undefined, ...WRONG]
        .map(
          (wrong) =>
            [`has ${JSON.stringify(wrong) ?? 'nothing'} at ${path.join('.')}`, JSON.stringify(changed(value, path, wrong))] as const,
        )
        .filter(([, text]) => text !== whole),
    ),
  ];
}
