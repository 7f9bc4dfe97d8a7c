-- Become the writer of a shard. Asking again with the same token changes nothing.
-- KEYS: cursor, then the tables. ARGV: token. Returns the cursor, and the size of every table.
redis.call('HSET', KEYS[1], 'token', ARGV[1])
local sizes = {}
for i = 2, #KEYS do sizes[i - 1] = redis.call('HLEN', KEYS[i]) end
return {redis.call('HMGET', KEYS[1], 'writer', 'next', 'about', 'torn', 'sizes', 'reviews'), table.concat(sizes, ',')}
