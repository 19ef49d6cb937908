/**
 * What PostgreSQL runs: one statement an operation, so that each is atomic without a
 * transaction of its own, on any connection of a pool.
 *
 * A compare-and-set updates the row also where it refuses, with what the row held: only
 * so does one statement both wait for a writer that was there first and see what it
 * wrote. All columns that come back are text.
 */

export interface PostgresStatements {
  /** $1 key → version, value, format, live. */
  readonly read: string;
  /** $1 key, $2 new version, $3 json, $4 milliseconds to live → version, value (null if written), format, live. */
  readonly write: string;
  /** The same where nothing must be. */
  readonly create: string;
  /** The same with $5, the expected version; no row if there was none. */
  readonly replace: string;
  /** $1 key, $2 expected version or null → version, value, format, live of what was deleted, or is of another format. */
  readonly remove: string;
  /** $1 key, $2 owner, $3 milliseconds → fence; no row while another's lease runs. */
  readonly acquire: string;
  /** $1 key, $2 owner, $3 fence. */
  readonly release: string;
  /** Deletes some of what is long over. */
  readonly sweepRecords: string;
  readonly sweepLeases: string;
  readonly schemaVersion: string;
}

/** What one sweep deletes at most. */
export const SWEPT_AT_ONCE = 256;

/** A row may go once no later fence can be smaller, with room for a clock that is set back. */
const LEASE_KEPT_MS = 86_400_000;

// The same instant in the whole statement: conditions that are written out more than once must agree.
const nowMicroseconds = '(extract(epoch FROM statement_timestamp()) * 1000000)::bigint';
const nowMs = `(${nowMicroseconds} / 1000)`;
const digest = "sha256(convert_to($1::text, 'UTF8'))";

export function postgresStatements(schema: string): PostgresStatements {
  const records = `"${schema}".authchart_records`;
  const leases = `"${schema}".authchart_leases`;

  const live = `(r.expires_at_epoch_ms IS NULL OR r.expires_at_epoch_ms > ${nowMs})`;
  const shown = `r.version, r.value::text AS value, r.format::text AS format, ${live}::text AS live`;
  const shownIfRefused = `r.version, CASE WHEN r.version = $2 THEN NULL ELSE r.value::text END AS value, r.format::text AS format, ${live}::text AS live`;
  const setIf = (condition: string) => `
    version = CASE WHEN ${condition} THEN $2::text ELSE r.version END,
    value = CASE WHEN ${condition} THEN $3::text::json ELSE r.value END,
    expires_at_epoch_ms = CASE WHEN ${condition} THEN ${nowMs} + $4::text::bigint ELSE r.expires_at_epoch_ms END`;
  const insertOrSetIf = (condition: string) => `
    INSERT INTO ${records} AS r (digest, key, version, value, expires_at_epoch_ms)
    VALUES (${digest}, $1::text, $2::text, $3::text::json, ${nowMs} + $4::text::bigint)
    ON CONFLICT (digest) DO UPDATE SET ${setIf(condition)}
    RETURNING ${shownIfRefused}`;

  return {
    read: `SELECT ${shown} FROM ${records} AS r WHERE r.digest = ${digest}`,
    write: insertOrSetIf('r.format = 1'),
    create: insertOrSetIf(`(r.format = 1 AND NOT ${live})`),
    replace: `
    UPDATE ${records} AS r SET ${setIf(`(r.format = 1 AND r.version = $5::text AND ${live})`)}
    WHERE r.digest = ${digest}
    RETURNING ${shownIfRefused}`,
    remove: `
    WITH gone AS (
      DELETE FROM ${records} AS r
      WHERE r.digest = ${digest} AND r.format = 1 AND ($2::text IS NULL OR r.version = $2::text)
      RETURNING ${shown}
    )
    SELECT * FROM gone UNION ALL SELECT ${shown} FROM ${records} AS r WHERE r.digest = ${digest} AND r.format <> 1`,
    acquire: `
    INSERT INTO ${leases} AS l (digest, key, owner, fence, ends_at_epoch_ms)
    VALUES (${digest}, $1::text, $2::text, ${nowMicroseconds}, ${nowMs} + $3::text::bigint)
    ON CONFLICT (digest) DO UPDATE SET
      owner = excluded.owner,
      fence = CASE WHEN l.ends_at_epoch_ms > ${nowMs} THEN l.fence ELSE greatest(excluded.fence, l.fence + 1) END,
      ends_at_epoch_ms = excluded.ends_at_epoch_ms
    WHERE l.owner = excluded.owner OR l.ends_at_epoch_ms <= ${nowMs}
    RETURNING l.fence::text AS fence`,
    release: `
    UPDATE ${leases} AS l SET ends_at_epoch_ms = least(l.ends_at_epoch_ms, ${nowMs})
    WHERE l.digest = ${digest} AND l.owner = $2::text AND l.fence = $3::text::bigint`,
    sweepRecords: sweep(records, `expires_at_epoch_ms <= ${nowMs} AND format = 1`, 'expires_at_epoch_ms'),
    sweepLeases: sweep(leases, `ends_at_epoch_ms <= ${nowMs} - ${LEASE_KEPT_MS}`, 'ends_at_epoch_ms'),
    schemaVersion: `SELECT coalesce(max(version), 0)::text AS version FROM "${schema}".authchart_schema`,
  };
}

/** Rows that someone else is at work on are left for another time. */
function sweep(table: string, condition: string, order: string): string {
  return `
    DELETE FROM ${table} WHERE digest IN (
      SELECT digest FROM ${table} WHERE ${condition} ORDER BY ${order} LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED
    )`;
}
