-- Forget a shard's checkpoint, as its writer. KEYS: cursor, then the tables. ARGV: token.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 'FENCED' end
redis.call('UNLINK', unpack(KEYS))
redis.call('HSET', KEYS[1], 'token', ARGV[1])
return 'OK'
