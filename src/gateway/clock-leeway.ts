/** How far the clock of an authorization server and that of the gateway may differ (RFC 7519 section 4.1.4), unless an option says otherwise. */
export const LEEWAY_SECONDS = 30;
