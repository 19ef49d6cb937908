/** Everything that is wrong with the options of a gateway, each as a sentence that says what to change. Pure. */
import * as z from 'zod/mini';
import { when } from '../../misconfigured.ts';
import { RESERVED_PARAMETERS } from '../../protocol/authorization-request.ts';
import { isSafeEndpoint } from '../../protocol/endpoint-url.ts';
import { isScopeToken } from '../../protocol/scope-token.ts';
import { parseScope } from '../../protocol/scopes.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayOptions } from './gateway-options.ts';

const must = (isRight: (value: unknown) => boolean, error: string) =>
  z.custom<unknown>(isRight, { error: (issue) => (issue.input === undefined ? 'is missing.' : error) });

const isIssuer = (value: unknown): boolean => isSafeEndpoint(value) && !/[?#]|[^\x21-\x7e]/.test(value);
const isScopes = (value: unknown): boolean =>
  Array.isArray(value) && value.every((scope) => typeof scope === 'string' && isScopeToken(scope));
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isPositive = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value > 0;
const has =
  (...operations: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' && value !== null && operations.every((name) => typeof Reflect.get(value, name) === 'function');

const issuer = must(isIssuer, 'must be an https URL without query and fragment, or http on a loopback address.');
const endpoint = must(isSafeEndpoint, 'must be an https URL, or http on a loopback address.');
const text = must(isText, 'must be a text that is not empty.');
const scopes = must(isScopes, 'must be a list of scopes as RFC 6749 section 3.3 allows them.');
const positive = must(isPositive, 'must be a number above zero.');
const isFunction = must((value) => typeof value === 'function', 'must be a function.');
/** What could end the declaration would also reach the page around it. */
const isStyle = (style: unknown): boolean =>
  Object.entries(Object(style)).every(
    ([name, value]) => /^--[\w-]+$/.test(name) && typeof value === 'string' && !/[;{}<>\\]|\/\*/.test(value),
  );
const FORMATS: readonly string[] = ['jwt', 'opaque', 'upstream'];
const AUTH_METHODS: readonly string[] = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];
/** RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const anything = z.optional(z.any());

const limits = z.strictObject(Object.fromEntries(Object.keys(DEFAULT_GATEWAY_LIMITS).map((name) => [name, z.optional(positive)])));

/** `alg` of a signing key: asymmetric, and no other than what `jose` and Web Crypto sign with everywhere. */
export const SIGNING_ALGORITHMS: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
];
/** In form; whether it signs shows when it is tried. */
export const isSigningKey = (key: unknown): boolean => {
  const { alg, kid, d } = Object(key) as { alg?: unknown; kid?: unknown; d?: unknown };
  return isText(kid) && isText(d) && typeof alg === 'string' && SIGNING_ALGORITHMS.includes(alg);
};
const isSigningKeys = (keys: unknown): boolean => Array.isArray(keys) && keys.length > 0 && keys.every(isSigningKey);

const options = z.strictObject({
  resource: must(
    (value) => isSafeEndpoint(String(value)) && !/#/.test(String(value)),
    'must be the https URL of the MCP server, or http on a loopback address.',
  ),
  issuer: z.optional(issuer),
  upstream: z.strictObject({
    issuer: z.optional(issuer),
    endpoints: z.optional(z.strictObject({ authorization: endpoint, token: endpoint, revocation: z.optional(endpoint) })),
    clientId: text,
    clientSecret: z.optional(text),
    clientKey: z.optional(
      must(isSigningKey, `must be a private key as JWK with \`kid\` and an \`alg\` of ${SIGNING_ALGORITHMS.join(', ')}.`),
    ),
    authMethod: z.optional(must((value) => AUTH_METHODS.includes(value as string), `must be one of ${AUTH_METHODS.join(', ')}.`)),
    scopes: z.optional(scopes),
    resource: z.optional(must((value) => URL.canParse(String(value)), 'must be a URL.')),
    parameters: z.optional(must((value) => Object.values(Object(value)).every((one) => typeof one === 'string'), 'must hold texts.')),
  }),
  scopes: z.optional(scopes),
  defaultScope: z.optional(must((value) => isScopes(typeof value === 'string' ? parseScope(value) : value), 'is not a list of scopes.')),
  name: z.optional(text),
  tokens: z.optional(
    z.strictObject({
      format: z.optional(must((value) => FORMATS.includes(value as string), 'must be `jwt`, `opaque` or `upstream`.')),
      signingKeys: z.optional(
        must(isSigningKeys, `must be private keys as JWK, each with \`kid\` and an \`alg\` of ${SIGNING_ALGORITHMS.join(', ')}.`),
      ),
      validator: z.optional(must(has('validate'), 'is not a token validator.')),
      accessTokenSeconds: z.optional(positive),
      refreshTokenSeconds: z.optional(positive),
      refreshGraceSeconds: z.optional(must((value) => value === 0 || isPositive(value), 'must be a number that is not negative.')),
    }),
  ),
  store: z.optional(must(has('read', 'write', 'delete', 'take', 'acquireLease', 'releaseLease'), 'is not a store.')),
  sealingKeys: anything,
  clientMetadataDocuments: anything,
  clientAddressHeader: z.optional(must((value) => typeof value === 'string' && HEADER_NAME.test(value), 'must be the name of one header.')),
  consent: z.optional(
    z.strictObject({
      texts: anything,
      style: z.optional(must(isStyle, 'must name CSS custom properties (`--accent`), their values without `;`, braces, `<` and comments.')),
    }),
  ),
  limits: z.optional(limits),
  fetch: z.optional(isFunction),
  clock: z.optional(must(has('now', 'sleep'), 'is not a clock.')),
  logger: z.optional(isFunction),
  inspect: z.optional(must((value) => typeof value === 'function' || has('next')(value), 'must be a function or an observer with `next`.')),
});

/** Empty if the gateway can be created. */
export function problemsOfGatewayOptions(given: GatewayOptions): readonly string[] {
  if (typeof given !== 'object' || given === null) return ['The options are missing.'];
  return [...(options.safeParse(given).error?.issues ?? []).map(sentence), ...problemsOfUndefined(given), ...problemsTogether(given)];
}

/** Options without which the gateway does with less security, or remembers less: nobody leaves them out by naming them. */
const NEVER_UNDEFINED: readonly (readonly [part: 'upstream' | 'tokens' | undefined, name: string, without: string])[] = [
  ['upstream', 'clientSecret', 'for a public client'],
  ['upstream', 'clientKey', 'for a client without a key'],
  ['tokens', 'signingKeys', 'for a key that ends with the process'],
  [undefined, 'sealingKeys', 'for a key that ends with the process'],
  [undefined, 'store', 'for logins that end with the process'],
];

/** `clientSecret: process.env.MISSPELT` would pass as a public client. */
function problemsOfUndefined(given: GatewayOptions): readonly string[] {
  return NEVER_UNDEFINED.flatMap(([part, name, without]) => {
    const holder: object = Object(part === undefined ? given : given[part]);
    const place = [part, name].filter(Boolean).join('.');
    return when(
      name in holder && Reflect.get(holder, name) === undefined,
      `\`${place}\` is there, but undefined: give its value, or leave it out ${without}.`,
    );
  });
}

function sentence(issue: z.core.$ZodIssue): string {
  const place = (more: readonly PropertyKey[] = []): string => `\`${[...issue.path, ...more].map(String).join('.')}\``;
  // Names only: what stands under a misspelt one may be a secret.
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${place([key])} is no option.`).join(' ');
  if (issue.code === 'invalid_type') return `${place()} is missing or not an object.`;
  return `${place()} ${issue.message}`;
}

/** What is wrong only beside something else. */
function problemsTogether({ upstream, scopes: known, defaultScope, tokens, store, sealingKeys }: GatewayOptions): readonly string[] {
  const { issuer: upstreamIssuer, endpoints, authMethod, clientSecret, clientKey } = { ...upstream };
  const { parameters = {}, scopes: asked } = { ...upstream };
  const reserved = Object.keys(Object(parameters)).filter((name) => RESERVED_PARAMETERS.has(name) || name === 'nonce');
  const defaults = typeof defaultScope === 'string' ? parseScope(defaultScope) : (defaultScope ?? []);
  const unknown = known === undefined ? [] : defaults.filter((scope) => !known.includes(scope));
  return [
    ...when(
      upstream !== undefined && upstreamIssuer === undefined && endpoints === undefined,
      '`upstream` has to name its `issuer`, or its `endpoints`.',
    ),
    ...when(
      endpoints !== undefined && upstreamIssuer === undefined && Array.isArray(asked) && asked.includes('openid'),
      '`upstream.issuer` is missing: `openid` is asked for (`upstream.scopes`), and nothing else says whose ID tokens to believe. Name it, or scopes without `openid`.',
    ),
    ...reserved.map((name) => `\`upstream.parameters\` must not set \`${name}\`: the gateway does.`),
    ...when(
      authMethod?.startsWith('client_secret') === true && !clientSecret,
      `\`upstream.authMethod\` ${authMethod} needs \`clientSecret\`.`,
    ),
    ...when(authMethod === 'private_key_jwt' && clientKey === undefined, '`upstream.authMethod` private_key_jwt needs `clientKey`.'),
    ...when(
      clientKey !== undefined && authMethod !== undefined && authMethod !== 'private_key_jwt',
      `\`upstream.clientKey\` is of no use with \`upstream.authMethod\` ${authMethod}.`,
    ),
    ...when(unknown.length > 0, '`defaultScope` has scopes that `scopes` does not name.'),
    ...when(
      (tokens?.format === 'upstream') !== (tokens?.validator !== undefined),
      '`tokens.validator` belongs to `tokens.format` `upstream`, which needs it: nothing else knows whether those tokens are valid.',
    ),
    ...when(
      store !== undefined && sealingKeys === undefined,
      '`store` needs `sealingKeys`: with a key of one process no other could read what it stored.',
    ),
    ...when(
      store !== undefined && (tokens?.format ?? 'jwt') === 'jwt' && tokens?.signingKeys === undefined,
      '`store` needs `tokens.signingKeys`, or `tokens.format` `opaque`: no replica would accept the tokens of another.',
    ),
  ];
}
