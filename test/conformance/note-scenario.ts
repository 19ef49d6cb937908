/** A stand-in for the client under test: notes which scenario it was started for, and does nothing. */
import { appendFileSync } from 'node:fs';

const { MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_PROTOCOL_VERSION, SCENARIO_NOTES } = process.env;
if (SCENARIO_NOTES === undefined) throw new Error('SCENARIO_NOTES has to name the file to write to');
const note = { scenario: MCP_CONFORMANCE_SCENARIO, revision: MCP_CONFORMANCE_PROTOCOL_VERSION };
appendFileSync(SCENARIO_NOTES, `${JSON.stringify(note)}\n`);
