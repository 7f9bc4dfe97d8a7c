"""The controller: hands the ledger's batches to the shards of this process."""
