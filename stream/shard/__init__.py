"""Everything that happens to a shard: it is taken, folded, published, checkpointed, left, rebuilt, audited."""
