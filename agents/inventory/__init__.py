"""What is where, what is coming, and what that means: the inventory rule, pure."""
