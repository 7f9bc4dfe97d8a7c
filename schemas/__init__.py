"""The language that all rooms speak: events, ledger and journal records, topics, and the one codec between them."""
