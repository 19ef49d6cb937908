/** The tables of the PostgreSQL store, and how they come about. */
import { toAuthorizationError } from '../errors.ts';
import { misconfigured } from '../misconfigured.ts';
import { NEWER_SCHEMA, newerSchema, type PostgresClient, statementRunner } from './postgres-client.ts';
import { postgresStatements } from './postgres-statements.ts';

export const DEFAULT_SCHEMA = 'authchart';
export const SCHEMA_VERSION = 1;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** Names go into statements as text, so they may hold nothing that would need care there. */
export function assertSchemaName(schema: string): void {
  if (IDENTIFIER.test(schema)) return;
  throw misconfigured(['The schema of the PostgreSQL store has to be a name of letters, digits and underscores.']);
}

/**
 * Creates the schema and its tables where they are missing, and does nothing where
 * they are there. One statement: it happens as a whole or not at all, on any kind of
 * client, and any number of processes may run it at once.
 *
 * Rejects with an AuthorizationError: `record_unreadable`, everything untouched, where a newer version of
 * authchart has migrated the schema; with `store_failed` where the database refuses,
 * or tables of these names are there that are not ours.
 */
export async function migratePostgres(client: PostgresClient, options: { readonly schema?: string } = {}): Promise<void> {
  const { schema = DEFAULT_SCHEMA } = options;
  assertSchemaName(schema);
  try {
    await statementRunner(client, schema)(migration(schema), []);
  } catch (thrown) {
    // Called by the application itself, not by a client that would turn it into the public error.
    throw toAuthorizationError(thrown, 'storage');
  }
}

/**
 * What `migratePostgres` would find. Changes nothing.
 *
 * @returns whether the tables are there; if not, whether this user may make them
 * @throws AuthorizationError as `migratePostgres` does
 */
export async function lookAtSchema(
  client: PostgresClient,
  { schema = DEFAULT_SCHEMA }: { readonly schema?: string } = {},
): Promise<{ readonly isMade: boolean; readonly mayMake: boolean }> {
  assertSchemaName(schema);
  const run = statementRunner(client, schema);
  try {
    const [found] = await run(present(schema), []);
    const isMade = found?.['made'] === 'true';
    const [row] = isMade ? await run(postgresStatements(schema).schemaVersion, []) : [];
    if (Number(row?.['version'] ?? 0) > SCHEMA_VERSION) throw newerSchema(schema);
    return { isMade, mayMake: found?.['may_make'] === 'true' };
  } catch (thrown) {
    throw toAuthorizationError(thrown, 'storage');
  }
}

const present = (schema: string): string => `
SELECT
  (to_regclass('"${schema}".authchart_schema') IS NOT NULL)::text AS made,
  (CASE WHEN to_regnamespace('"${schema}"') IS NULL
    THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege(to_regnamespace('"${schema}"')::oid, 'CREATE')
  END)::text AS may_make`;

/**
 * The key's digest is the primary key: an index entry has to stay below 2,700 bytes,
 * and a key may be longer. Values are `json`, not `jsonb`: that one refuses U+0000 and
 * writes numbers anew. The column's type and check leave no damaged values to look for.
 */
function migration(schema: string): string {
  return `
DO $authchart$
DECLARE
  present integer;
BEGIN
  -- One at a time: "if not exists" alone fails when two create the same at once.
  PERFORM pg_advisory_xact_lock(hashtext('authchart'), hashtext('${schema}'));
  -- Looked for first: creating needs a privilege also where nothing is to be created.
  IF to_regnamespace('"${schema}"') IS NULL THEN
    CREATE SCHEMA "${schema}";
  END IF;
  IF to_regclass('"${schema}".authchart_schema') IS NULL THEN
    CREATE TABLE "${schema}".authchart_schema (version integer NOT NULL);
  END IF;
  SELECT coalesce(max(version), 0) INTO present FROM "${schema}".authchart_schema;
  IF present > ${SCHEMA_VERSION} THEN
    RAISE EXCEPTION 'newer schema' USING ERRCODE = '${NEWER_SCHEMA}';
  END IF;
  IF present < 1 THEN
    CREATE TABLE "${schema}".authchart_records (
      digest bytea PRIMARY KEY,
      key text NOT NULL,
      format smallint NOT NULL DEFAULT 1,
      version text NOT NULL,
      value json NOT NULL CHECK (json_typeof(value) = 'object'),
      expires_at_epoch_ms bigint
    );
    CREATE INDEX authchart_records_expiry ON "${schema}".authchart_records (expires_at_epoch_ms)
      WHERE expires_at_epoch_ms IS NOT NULL;
    CREATE TABLE "${schema}".authchart_leases (
      digest bytea PRIMARY KEY,
      key text NOT NULL,
      owner text NOT NULL,
      fence bigint NOT NULL,
      ends_at_epoch_ms bigint NOT NULL
    );
    CREATE INDEX authchart_leases_end ON "${schema}".authchart_leases (ends_at_epoch_ms);
    INSERT INTO "${schema}".authchart_schema (version) VALUES (1);
  END IF;
END
$authchart$`;
}
