-- Read fields of one table together with the place in the ledger they stand at. KEYS: cursor, table. ARGV: fields.
local values = {}
if #ARGV > 0 then values = redis.call('HMGET', KEYS[2], unpack(ARGV)) end
return {redis.call('HGET', KEYS[1], 'next'), values}
