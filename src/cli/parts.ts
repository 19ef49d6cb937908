/** What the commands are made of. Loaded when it is needed, so that `--help` is fast; replaced in tests. */
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Diagnosis, DiscoverOptions } from '../diagnosis.ts';
import type { AuthorizationClientOptions } from '../options.ts';
import type { AuthorizationStatus, Progress } from '../status.ts';
import type { Store } from '../stores/contract.ts';
import type { OpenUrl } from '../user-agents/open-url.ts';

/** The part of `AuthorizationClient` that the commands use. */
export interface CommandLineClient {
  readonly status: AuthorizationStatus;
  readonly progress: Progress;
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
  authorize(options?: { readonly scopes?: readonly string[]; readonly signal?: AbortSignal }): Promise<AuthorizationStatus>;
  restore(): Promise<AuthorizationStatus>;
  accessToken(): Promise<AccessTokenFacts | undefined>;
  subscribe(listener: (status: AuthorizationStatus, progress: Progress) => void): () => void;
  provideClient(client: { readonly client_id: string; readonly client_secret?: string }): Promise<AuthorizationStatus>;
  cancel(): void;
  signOut(options?: { readonly forgetRegistration?: boolean }): Promise<AuthorizationStatus>;
  close(): Promise<void>;
}

export interface AccessTokenFacts {
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly scopes: readonly string[];
  readonly expiresAtEpochSeconds?: number;
}

export interface CommandLineParts {
  readonly clock: Clock;
  readonly openUrl: OpenUrl;
  createStore(directory: string | undefined): Promise<Store>;
  /** Where the secrets go, if not where the rest goes: asked for now, or by an earlier command for the same store. */
  createVault(store: Store, options: { readonly keychain: boolean }): Promise<Store | undefined>;
  createClient(options: AuthorizationClientOptions): Promise<CommandLineClient>;
  discover(
    options: Required<Pick<DiscoverOptions, 'clock' | 'signal'>> & Pick<DiscoverOptions, 'serverUrls'> & { readonly resource: string },
  ): Promise<Diagnosis>;
}

const KEYCHAIN_SERVICE = 'authchart';

export const realParts: CommandLineParts = {
  clock: systemClock,
  async openUrl(url) {
    if (!canShowBrowser(process.platform, process.env)) throw new Error('no display');
    const { openInBrowser } = await import('../user-agents/open-url.ts');
    await openInBrowser(url);
  },
  async createStore(directory) {
    const { fileStore } = await import('../stores/file-store.ts');
    return fileStore(directory === undefined ? {} : { directory });
  },
  async createVault(store, { keychain }) {
    const { hasKeychainKeys } = await import('../stores/keychain-keys.ts');
    if (!keychain && !(await hasKeychainKeys({ store, service: KEYCHAIN_SERVICE }))) return undefined;
    const { keychainVault } = await import('../stores/keychain-vault.ts');
    return keychainVault({ store, service: KEYCHAIN_SERVICE });
  },
  async createClient(options) {
    const { createAuthorizationClient } = await import('../client.ts');
    return createAuthorizationClient(options);
  },
  async discover(options) {
    const { discover } = await import('../diagnosis.ts');
    return discover(options);
  },
};

/** Without a display, xdg-open starts nothing, or a text browser that nobody sees, and says that all is well. */
function canShowBrowser(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): boolean {
  const names = ['DISPLAY', 'WAYLAND_DISPLAY', 'BROWSER', 'WSL_DISTRO_NAME'];
  return platform !== 'linux' || names.some((name) => (env[name] ?? '') !== '');
}
