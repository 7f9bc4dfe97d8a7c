"""A shard's life: taken, folded, published, checkpointed, lost, rebuilt, audited."""
