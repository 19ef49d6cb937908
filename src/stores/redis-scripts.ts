/**
 * What Redis runs: one script an operation, each on one key, so that each is atomic
 * and runs on whichever node of a cluster has the key.
 *
 * A record is the text `1:<version>:<sum>:<json>`, a lease `1:<fence>:<ends>:<owner>`,
 * `1` being the format. `<sum>` tells a damaged record from a whole one before it is
 * taken or overwritten; what has another format is newer and is left alone (STO-05).
 */

const record = `
local function look()
  local stored = redis.call('GET', KEYS[1])
  if not stored then return 'none' end
  local _, headEnd, version, sum = string.find(stored, '^1:([^:]*):(%x+):')
  if headEnd then
    local json = string.sub(stored, headEnd + 1)
    if redis.sha1hex(version .. ':' .. json) == sum then return 'found', version, json end
    return 'damaged'
  end
  local format = string.match(stored, '^(%d+):')
  if format and format ~= '1' then return 'newer' end
  return 'damaged'
end
local state, version, json = look()
`;

/** → state, version, json. */
const read = `${record}
return {state, version or '', json or ''}
`;

/**
 * Arguments: new version, json, milliseconds to live or '', 'any' | 'absent' | 'version', expected version.
 * → 'written', or 'refused' and what `read` returns. A driver that lost the connection
 * may send the script again: it then finds its own version and has written.
 */
const write = `${record}
if state == 'damaged' or state == 'newer' then return {state} end
if version == ARGV[1] then return {'written'} end
if (ARGV[4] == 'absent' and state == 'found') or (ARGV[4] == 'version' and version ~= ARGV[5]) then
  return {'refused', state, version or '', json or ''}
end
local stored = '1:' .. ARGV[1] .. ':' .. redis.sha1hex(ARGV[1] .. ':' .. ARGV[2]) .. ':' .. ARGV[2]
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], stored)
elseif tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[1], stored, 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return {'written'}
`;

/**
 * Arguments: 'any' | 'version', expected version. → 'deleted', or the state that was in
 * the way. Who deletes whatever is there gets rid of a damaged record, too.
 */
const remove = `${record}
if state == 'found' and (ARGV[1] == 'any' or version == ARGV[2]) or state == 'damaged' and ARGV[1] == 'any' then
  redis.call('DEL', KEYS[1])
  return {'deleted'}
end
return {state}
`;

/** → state, version, json. */
const take = `${record}
if state == 'found' then redis.call('DEL', KEYS[1]) end
return {state, version or '', json or ''}
`;

const lease = `
local fence, ends, owner = 0, 0, ''
local stored = redis.call('GET', KEYS[1])
if stored then
  local storedFence, storedEnds, storedOwner = string.match(stored, '^1:(%d+):(%d+):(.*)$')
  if not storedFence then
    local format = string.match(stored, '^(%d+):')
    return {format and format ~= '1' and 'newer' or 'damaged'}
  end
  fence, ends, owner = tonumber(storedFence), tonumber(storedEnds), storedOwner
end
`;

/**
 * Arguments: owner, duration in milliseconds. → 'leased' and the fence, or 'held'.
 *
 * A fence is at least the time of day in microseconds: it grows even where the key
 * that remembered the last one has expired, was evicted, or was lost in a failover.
 * The key stays for a day after the lease, in case the clock is set back.
 */
const acquire = `${lease}
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local running = ends > now
if running and owner ~= ARGV[1] then return {'held'} end
if not running then fence = math.max(now, fence + 1) end
ends = now + tonumber(ARGV[2]) * 1000
local keptMs = (math.max(fence, ends) - now) / 1000 + 86400000
redis.call('SET', KEYS[1], string.format('1:%.0f:%.0f:', fence, ends) .. ARGV[1], 'PX', string.format('%.0f', keptMs))
return {'leased', string.format('%.0f', fence)}
`;

/** Arguments: owner, fence. → 'done'. The key stays: it remembers the fence. */
const release = `${lease}
if stored and owner == ARGV[1] and string.format('%.0f', fence) == ARGV[2] then
  redis.call('SET', KEYS[1], string.format('1:%.0f:0:', fence) .. owner, 'KEEPTTL')
end
return {'done'}
`;

export const REDIS_SCRIPTS = { read, write, remove, take, acquire, release };
