"""The default forecaster: experts on an item's past and regressions shared by its shard, blended by their regret."""
