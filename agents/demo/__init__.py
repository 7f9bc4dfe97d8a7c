"""The demo: a simulated shop and warehouse in a closed loop with a real worker, over real topics, and its picture."""
