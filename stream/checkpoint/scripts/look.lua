-- Read fields of one table together with the place they stand at (next, reviews). KEYS: cursor, table. ARGV: fields.
local values = {}
if #ARGV > 0 then values = redis.call('HMGET', KEYS[2], unpack(ARGV)) end
return {redis.call('HMGET', KEYS[1], 'next', 'reviews'), values}
