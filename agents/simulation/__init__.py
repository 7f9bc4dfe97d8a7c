"""A shop, a supplier and a warehouse to practise on: seeded, pure, the same on every machine."""
