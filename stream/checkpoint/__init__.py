"""The checkpoint of a shard in Redis."""
