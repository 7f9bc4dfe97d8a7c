"""Policies: pure, from an item's situation to an order; one file each, one line in the registry."""
