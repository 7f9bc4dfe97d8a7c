"""The stock that will be left when an order arrives, for one inventory and for many at once."""
