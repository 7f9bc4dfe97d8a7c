"""The controller: the Faust agent that feeds the shards of this process."""
