"""What people and programs are shown of an item and of a decision."""
