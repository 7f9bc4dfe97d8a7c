-- Write what has changed between two places, all of it or none of it.
-- KEYS: cursor, then the tables. ARGV: token, since (offset, reviews), to (offset, reviews), about, then for every table
-- how many fields it sets and how many it drops, then the fields in the same order (field, value, … and field, …).
-- An error in a script does not undo what it wrote: everything is checked first, and `torn` brackets the writes.
local function sizes()
  local found = {}
  for i = 2, #KEYS do found[i - 1] = redis.call('HLEN', KEYS[i]) end
  return table.concat(found, ',')
end

local cursor = redis.call('HMGET', KEYS[1], 'token', 'next', 'torn', 'sizes', 'reviews')
if cursor[1] ~= ARGV[1] then return 'FENCED' end
local at, reviews = tonumber(cursor[2] or '-1'), tonumber(cursor[5] or '0')
local to, until_review = tonumber(ARGV[4]), tonumber(ARGV[5])
if to < at or (to == at and until_review <= reviews) then return 'DONE' end
if tonumber(ARGV[2]) ~= at or tonumber(ARGV[3]) ~= reviews then return 'STALE' end
if cursor[3] == '1' or (cursor[4] or sizes()) ~= sizes() then return 'TORN' end

local tables = #KEYS - 1
local head = 6
local expected = head + 2 * tables
for t = 1, tables do
  expected = expected + 2 * tonumber(ARGV[head - 1 + 2 * t]) + tonumber(ARGV[head + 2 * t])
end
if #ARGV ~= expected then return redis.error_reply('ERR checkpoint has ' .. #ARGV .. ' arguments, not ' .. expected) end

redis.call('HSET', KEYS[1], 'torn', '1')
local place = head + 1 + 2 * tables
local function each(command, key, count)  -- Lua takes a few thousand arguments at a time
  local stop = place + count - 1
  while place <= stop do
    local last = math.min(place + 3999, stop)
    redis.call(command, key, unpack(ARGV, place, last))
    place = last + 1
  end
end
for t = 1, tables do
  each('HSET', KEYS[t + 1], 2 * tonumber(ARGV[head - 1 + 2 * t]))
  each('HDEL', KEYS[t + 1], tonumber(ARGV[head + 2 * t]))
end
redis.call('HSET', KEYS[1], 'next', ARGV[4], 'reviews', ARGV[5], 'writer', ARGV[1], 'about', ARGV[6],
  'sizes', sizes(), 'torn', '0')
return 'OK'
