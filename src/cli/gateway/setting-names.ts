/** What the gateway is configured by, and what each setting is called where it comes from: flag, variable, member of the file. */

export type SettingKind = 'text' | 'list' | 'switch';

export interface SettingName {
  readonly kind: SettingKind;
  readonly flag?: string;
  readonly variable?: string;
  /** Member of the configuration file. Default: the setting's own name. */
  readonly member?: false;
  /** Taken from the folder of the configuration file where it stands in one: of a module or program, if it begins with `./` or `../`. */
  readonly names?: 'file' | 'module' | 'program';
}

/** The variables are those of GWY-14. What none of them is about comes from flags or the file. */
export const SETTING_NAMES = {
  resource: { kind: 'text', flag: '--resource', variable: 'OAUTH_RESOURCE_URL' },
  name: { kind: 'text', flag: '--name' },
  requestTimeout: { kind: 'text', flag: '--request-timeout' },
  listen: { kind: 'text', flag: '--listen' },
  backend: { kind: 'text', flag: '--backend' },
  allowPlainBackend: { kind: 'switch', flag: '--allow-plain-backend' },
  backendToken: { kind: 'text', flag: '--backend-token' },
  backendCommand: { kind: 'text', flag: '--backend-command', names: 'program' },
  backendEnv: { kind: 'list', flag: '--backend-env' },
  issuer: { kind: 'text', flag: '--issuer', variable: 'OIDC_ISSUER_URL' },
  authorizeEndpoint: { kind: 'text', flag: '--authorize-endpoint', variable: 'OAUTH_AUTHORIZE_ENDPOINT' },
  tokenEndpoint: { kind: 'text', flag: '--token-endpoint', variable: 'OAUTH_TOKEN_ENDPOINT' },
  clientId: { kind: 'text', flag: '--client-id', variable: 'OIDC_CLIENT_ID' },
  /** No flag and no member: arguments are seen by every user of the machine, and files of configuration are shown around. */
  clientSecret: { kind: 'text', variable: 'OIDC_CLIENT_SECRET', member: false },
  clientSecretFile: { kind: 'text', flag: '--client-secret-file', variable: 'OIDC_CLIENT_SECRET_FILE', names: 'file' },
  clientKeyFile: { kind: 'text', flag: '--client-key-file', names: 'file' },
  upstreamScope: { kind: 'list', flag: '--upstream-scope' },
  upstreamResource: { kind: 'text', flag: '--upstream-resource' },
  gatewayIssuer: { kind: 'text', flag: '--gateway-issuer', variable: 'OAUTH_ISSUER_URL' },
  scope: { kind: 'list', flag: '--scope' },
  defaultScope: { kind: 'list', flag: '--default-scope', variable: 'OAUTH_DEFAULT_SCOPE' },
  requireScope: { kind: 'list', flag: '--require-scope' },
  tokenFormat: { kind: 'text', flag: '--token-format' },
  audience: { kind: 'list', flag: '--audience', variable: 'OIDC_AUDIENCE' },
  algorithms: { kind: 'list', flag: '--algorithms', variable: 'OIDC_ALGORITHMS' },
  leeway: { kind: 'text', flag: '--leeway', variable: 'OIDC_LEEWAY' },
  validator: { kind: 'text', flag: '--validator', variable: 'TOKEN_VALIDATOR_FACTORY', names: 'module' },
  staticTokenFile: { kind: 'text', flag: '--static-token-file', names: 'file' },
  allowAnonymous: { kind: 'switch', flag: '--allow-anonymous' },
  clientAddressHeader: { kind: 'text', flag: '--client-address-header' },
  allowedOrigin: { kind: 'list', flag: '--allowed-origin' },
  /** Its URL may hold a password, which has no place among the arguments: hence a variable beside those of GWY-14. */
  store: { kind: 'text', flag: '--store', variable: 'AUTHCHART_GATEWAY_STORE' },
  keysFile: { kind: 'text', flag: '--keys-file', names: 'file' },
  maxRedirectUris: { kind: 'text', variable: 'OAUTH_MAX_REGISTERED_URIS' },
} as const satisfies Readonly<Record<string, SettingName>>;

export type Setting = keyof typeof SETTING_NAMES;

export const SETTINGS = Object.keys(SETTING_NAMES) as readonly Setting[];

export const nameOf = (setting: Setting): SettingName => SETTING_NAMES[setting];

/** For a setting that was given nowhere: every place it could have come from. */
export function placesOf(setting: Setting): string {
  const { flag, variable } = nameOf(setting);
  const places = [flag, variable].filter((place) => place !== undefined).map((place) => `\`${place}\``);
  return places.join(' or ');
}

/** Scopes, audiences and algorithms are written with spaces or commas between them. */
export const words = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');
