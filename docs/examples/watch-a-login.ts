/**
 * A login on a machine without a browser, told step by step: `manual()` shows the URL to
 * open elsewhere and takes the address of the page the browser ends up at.
 *
 *     npm run build && node docs/examples/watch-a-login.ts https://mcp.example.com/mcp
 */
import { AuthorizationError, createAuthorizationClient } from 'authchart';
import { fileStore, manual } from 'authchart/node';

const [, , resource = 'https://mcp.example.com/mcp'] = process.argv;

const authorization = createAuthorizationClient({ resource, store: fileStore(), userAgent: manual() });
authorization.subscribe((status, { completed, total }) => console.error(`${completed}/${total} ${status.step}`));

try {
  const { grantedScopes = [] } = await authorization.authorize();
  console.log(`Authorized for ${grantedScopes.join(' ') || 'the default scopes'}.`);
} catch (error) {
  if (!(error instanceof AuthorizationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await authorization.close();
}
