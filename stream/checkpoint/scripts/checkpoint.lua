-- Write what has changed between two points of the ledger, all of it or none of it.
-- KEYS: cursor, then the tables. ARGV: token, since, to, about, then for every table how many fields it sets and how
-- many it drops, then the fields in the same order (field, value, … and field, …).
-- An error in a script does not undo what it wrote: everything is checked first, and `torn` brackets the writes.
local function sizes()
  local found = {}
  for i = 2, #KEYS do found[i - 1] = redis.call('HLEN', KEYS[i]) end
  return table.concat(found, ',')
end

local cursor = redis.call('HMGET', KEYS[1], 'token', 'next', 'torn', 'sizes')
if cursor[1] ~= ARGV[1] then return 'FENCED' end
local at, since, to = tonumber(cursor[2] or '-1'), tonumber(ARGV[2]), tonumber(ARGV[3])
if to <= at then return 'DONE' end
if since ~= at then return 'STALE' end
if cursor[3] == '1' or (cursor[4] or sizes()) ~= sizes() then return 'TORN' end

local tables = #KEYS - 1
local expected = 4 + 2 * tables
for t = 1, tables do expected = expected + 2 * tonumber(ARGV[3 + 2 * t]) + tonumber(ARGV[4 + 2 * t]) end
if #ARGV ~= expected then return redis.error_reply('ERR checkpoint has ' .. #ARGV .. ' arguments, not ' .. expected) end

redis.call('HSET', KEYS[1], 'torn', '1')
local place = 5 + 2 * tables
local function each(command, key, count)  -- Lua takes a few thousand arguments at a time
  local stop = place + count - 1
  while place <= stop do
    local last = math.min(place + 3999, stop)
    redis.call(command, key, unpack(ARGV, place, last))
    place = last + 1
  end
end
for t = 1, tables do
  each('HSET', KEYS[t + 1], 2 * tonumber(ARGV[3 + 2 * t]))
  each('HDEL', KEYS[t + 1], tonumber(ARGV[4 + 2 * t]))
end
redis.call('HSET', KEYS[1], 'next', ARGV[3], 'writer', ARGV[1], 'about', ARGV[4], 'sizes', sizes(), 'torn', '0')
return 'OK'
