"""Shadow inventories: what stock and costs would be under every other way to order."""
