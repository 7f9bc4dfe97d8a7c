"""Policy-parameter Q-learning: arms of the projected-inventory-level rule, each tried in shadow."""
