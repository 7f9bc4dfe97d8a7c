"""The rules of a shard, pure: fold, review, decide, and the outputs and learning state that come of it."""
